"""network.py MODEL FOLDER: a network of PyTorch's, its logits, gradients, statistics and ten training steps.

FOLDER/start.safetensors: the state dictionary before any of it. FOLDER/answers.safetensors: the rest.
"""
import os
import sys

import torch
from torch.nn.functional import cross_entropy

import arrays
import models

STEPS, BATCH = 10, 16


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
    model.zero_grad()
    output = models.logits(model, pixels)
    cross_entropy(output, labels).backward()
    answers["training.logits"] = output
    for key, parameter in model.named_parameters():
        answers["gradient." + key] = parameter.grad.clone()
    for key, value in model.state_dict().items():
        if "running" in key:
            answers["statistics." + key] = value.clone()

    model.load_state_dict(start)
    update = models.optimizer(model)
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
