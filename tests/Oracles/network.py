"""network.py MODEL FOLDER: a network of PyTorch's, its logits, gradients, statistics and ten training steps.

FOLDER/start.safetensors: the state dictionary before any of it. FOLDER/answers.safetensors: the rest.
"""
import os
import sys

import torch
from torch.nn.functional import cross_entropy

import arrays
import models

STEPS, BATCH, RATE = 10, 16, 0.005


def away_from_kinks(model, candidates=24):
    """The batch whose ReLU inputs keep the largest distance from zero, and that distance.

    At zero a ReLU has two gradients, and which one f32 gives is a matter of rounding: among the millions of inputs of a batch
    one or two are that close, and PyTorch in f32 then differs from PyTorch in f64 by 3e-3 of a gradient's largest element.
    """
    nearest = []
    hooks = [module.register_forward_hook(lambda m, x, y: nearest.append(y.abs().min().item()))
             for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    best = (0, None)
    with torch.no_grad():
        for seed in range(candidates):
            nearest.clear()
            batch = models.images(2, 500 + seed)
            models.logits(model, batch[0])
            best = max(best, (min(nearest), batch), key=lambda pair: pair[0])
    for hook in hooks:
        hook.remove()
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
