"""attack.py make FOLDER: a briefly trained PreActResNet-18 and a batch: start.safetensors, batch.safetensors.
attack.py step FOLDER: what PyTorch makes of it, into answers.safetensors:

fgsm: the FGSM image and the gradient behind it. From iterates.safetensors (x0 .. x10, [N, H, W, C]): for every step k the gradient
at x_k and PyTorch's own x_{k+1} from it.
"""
import os
import sys

import torch
from torch.nn.functional import cross_entropy

import arrays
import models

EPSILON, ALPHA, STEPS = 8 / 255, 2 / 255, 10


def gradient(model, pixels, labels):
    """Of the summed loss: a row is the gradient of one sample's own loss."""
    pixels = pixels.clone().requires_grad_()
    return torch.autograd.grad(cross_entropy(models.logits(model, pixels), labels, reduction="sum"), pixels)[0]


def projected(clean, moved):
    return torch.min(torch.max(moved, clean - EPSILON), clean + EPSILON).clamp(0, 1)


def make(folder):
    arrays.write(os.path.join(folder, "start.safetensors"), models.briefly_trained("preact-resnet18").state_dict())
    pixels, labels = models.images(3, 5)
    arrays.write(os.path.join(folder, "batch.safetensors"), {"pixels": arrays.nhwc(pixels), "labels": labels.int()})


def answer(folder):
    model = models.create("preact-resnet18")
    model.load_state_dict(arrays.read(os.path.join(folder, "start.safetensors")))
    model.eval()
    batch = arrays.read(os.path.join(folder, "batch.safetensors"))
    clean, labels = arrays.nchw(batch["pixels"]), batch["labels"].long()
    answers = {"fgsm.gradient": gradient(model, clean, labels)}
    answers["fgsm"] = projected(clean, clean + EPSILON * answers["fgsm.gradient"].sign())
    iterates = arrays.read(os.path.join(folder, "iterates.safetensors"))
    for k in range(STEPS):
        x = arrays.nchw(iterates[f"x{k}"])
        answers[f"gradient{k}"] = gradient(model, x, labels)
        answers[f"x{k + 1}"] = projected(clean, x + ALPHA * answers[f"gradient{k}"].sign())
    arrays.write(os.path.join(folder, "answers.safetensors"), {key: arrays.nhwc(value) for key, value in answers.items()})


if __name__ == "__main__":
    torch.set_num_threads(2)
    {"make": make, "step": answer}[sys.argv[1]](sys.argv[2])
