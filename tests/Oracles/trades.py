"""trades.py make FOLDER: a briefly trained WideResNet-16-2 and a batch: start.safetensors, batch.safetensors.
trades.py step FOLDER: TRADES (Zhang et al., ICML 2019) in PyTorch, into answers.safetensors.

From iterates.safetensors (x0 .. xK, [N, H, W, C], x0 the start): for every k the gradient at x_k of the summed KL(clean || x_k) in evaluation mode, in f64,
and x_{k+1} from it. Then, in training mode, f32, the loss of the pair (clean, x_K), cross-entropy of the clean images + 6 KL(clean || x_K), the mean over
the batch: its value for every sample ("losses"), every parameter's gradient ("gradient.NAME") and the running statistics behind both passes ("statistics.NAME").
"""
import os
import sys

import torch
from torch.nn.functional import cross_entropy, kl_div, log_softmax, softmax

import arrays
import models

MODEL, EPSILON, ALPHA, STEPS, BETA = "wide-resnet16-2", 8 / 255, 2 / 255, 3, 6


def divergences(clean, attacked):
    return kl_div(log_softmax(attacked, 1), softmax(clean, 1), reduction="none").sum(1)


def make(folder):
    arrays.write(os.path.join(folder, "start.safetensors"), models.briefly_trained(MODEL).state_dict())
    pixels, labels = models.images(6, 5)
    arrays.write(os.path.join(folder, "batch.safetensors"), {"pixels": arrays.nhwc(pixels), "labels": labels.int()})


def load(folder):
    model = models.create(MODEL)
    model.load_state_dict(arrays.read(os.path.join(folder, "start.safetensors")))
    return model


def step(folder):
    batch = arrays.read(os.path.join(folder, "batch.safetensors"))
    iterates = arrays.read(os.path.join(folder, "iterates.safetensors"))
    clean, labels = arrays.nchw(batch["pixels"]), batch["labels"].long()
    answers = {}

    model = load(folder).double().eval()
    with torch.no_grad():
        reference = models.logits(model, clean.double())
    for k in range(STEPS):
        x = arrays.nchw(iterates[f"x{k}"]).double().requires_grad_()
        gradient, = torch.autograd.grad(divergences(reference, models.logits(model, x)).sum(), x)
        moved = x.detach() + ALPHA * gradient.sign()
        answers[f"gradient{k}"] = arrays.nhwc(gradient)
        answers[f"x{k + 1}"] = arrays.nhwc(torch.min(torch.max(moved, clean - EPSILON), clean + EPSILON).clamp(0, 1))

    model = load(folder).train()
    natural, attacked = models.logits(model, clean), models.logits(model, arrays.nchw(iterates[f"x{STEPS}"]))
    losses = cross_entropy(natural, labels, reduction="none") + BETA * divergences(natural, attacked)
    losses.mean().backward()
    answers["losses"] = losses
    for name, parameter in model.named_parameters():
        answers[f"gradient.{name}"] = parameter.grad
    for name, buffer in model.named_buffers():
        answers[f"statistics.{name}"] = buffer
    arrays.write(os.path.join(folder, "answers.safetensors"), answers)


if __name__ == "__main__":
    torch.set_num_threads(2)
    {"make": make, "step": step}[sys.argv[1]](sys.argv[2])
