"""network.py MODEL FOLDER: a network of PyTorch's, its logits, gradients, statistics and ten training steps.

FOLDER/start.safetensors: the state dictionary before any of it. FOLDER/answers.safetensors: the rest.
"""
import copy
import os
import sys

import torch
from torch.nn.functional import cross_entropy

import arrays
import models

STEPS, BATCH, RATE = 10, 16, 0.001


def relu_inputs(model, pixels):
    """What the ReLUs of a forward pass in training mode see: the results of the batch norms."""
    seen = []
    hooks = [module.register_forward_hook(lambda m, x, y: seen.append(y.double()))
             for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    with torch.no_grad():
        models.logits(model, pixels)
    for hook in hooks:
        hook.remove()
    return seen


def away_from_kinks(model, candidates=16):
    """The batch whose ReLU inputs are furthest from zero, and how far: in units of the layer's own rounding.

    At zero a ReLU has two gradients, and rounding decides between them. Among the millions of inputs of a batch one or two are that
    close; then the gradients of PyTorch in f32 and in f64 differ by 3e-3 of their largest element, too.
    """
    exact, best = copy.deepcopy(model).double(), (0, None)
    for seed in range(candidates):
        batch = models.images(2, 500 + seed)
        pairs = zip(relu_inputs(model, batch[0]), relu_inputs(exact, batch[0].double()))
        best = max(best, (min((y.abs().min() / (x - y).abs().max()).item() for x, y in pairs), batch), key=lambda pair: pair[0])
    return best


def main(name, folder):
    torch.set_num_threads(2)
    model = models.briefly_trained(name)
    start = {key: value.clone() for key, value in model.state_dict().items()}
    arrays.write(os.path.join(folder, "start.safetensors"), start)

    pixels, labels = models.images(8, 1)
    answers = {"pixels": arrays.nhwc(pixels), "labels": labels.int()}
    model.eval()
    with torch.no_grad():
        answers["evaluation.logits"] = models.logits(model, pixels)
    model.train()
    with torch.no_grad():
        answers["training.logits"] = models.logits(model, pixels)
    for key, value in model.state_dict().items():
        if "running" in key:
            answers["statistics." + key] = value.clone()

    distance, (pixels, labels) = away_from_kinks(model)
    answers["kinks.distance"] = torch.tensor([distance])
    answers["kinks.pixels"], answers["kinks.labels"] = arrays.nhwc(pixels), labels.int()
    model.zero_grad()
    cross_entropy(models.logits(model, pixels), labels).backward()
    for key, parameter in model.named_parameters():
        answers["gradient." + key] = parameter.grad.clone()

    model.load_state_dict(start)
    update = models.optimizer(model, RATE)
    losses = []
    for i in range(STEPS):
        pixels, labels = models.images(BATCH, 1000 + i)
        answers[f"step{i}.pixels"], answers[f"step{i}.labels"] = arrays.nhwc(pixels), labels.int()
        losses.append(models.step(model, update, pixels, labels))
    answers["losses"] = torch.tensor(losses)
    for key, value in model.state_dict().items():
        answers["end." + key] = value
    arrays.write(os.path.join(folder, "answers.safetensors"), answers)


if __name__ == "__main__":
    main(*sys.argv[1:])
