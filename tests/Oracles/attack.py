"""attack.py make FOLDER: a briefly trained PreActResNet-18 and a batch: start.safetensors, batch.safetensors.
attack.py step FOLDER: what PyTorch makes of it, into answers.safetensors:

fgsm: the FGSM image and the gradient behind it. n-fgsm: the same of N-FGSM from the noise in iterates.safetensors ("noise"). From iterates.safetensors (x0 .. x10, [N, H, W, C]): for every step k the gradient
at x_k and PyTorch's own x_{k+1} from it.

attack.py exact FOLDER: the same in f64, in whole and along the linear piece that the engine was on, into exact.safetensors. A network of ReLUs
is linear where no unit changes its sign; signs.safetensors says, for every image batch of iterates.safetensors (clean, x0 .. x9) and every ReLU in
the order in which they run, which units the engine let through: "x3.relu7", [N, H, W, C], 1 or 0. For every batch there are the f64 gradient
("x3.gradient"), the f64 gradient with the engine's signs ("x3.piece"), and "x3.flips": a row [relu, image, f64 input, largest |input| of that ReLU]
for every unit whose sign is another in f64.
"""
import os
import sys

import torch
from torch import nn
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
    noisy = (clean + arrays.nchw(iterates["noise"])).clamp(0, 1)
    answers["n-fgsm.gradient"] = gradient(model, noisy, labels)
    answers["n-fgsm"] = (noisy + EPSILON * answers["n-fgsm.gradient"].sign()).clamp(0, 1)
    for k in range(STEPS):
        x = arrays.nchw(iterates[f"x{k}"])
        answers[f"gradient{k}"] = gradient(model, x, labels)
        answers[f"x{k + 1}"] = projected(clean, x + ALPHA * answers[f"gradient{k}"].sign())
    arrays.write(os.path.join(folder, "answers.safetensors"), {key: arrays.nhwc(value) for key, value in answers.items()})


class Rectifiers:
    """Takes the place of the models' ReLU: keeps what goes in, and lets through what it is told to."""

    def __init__(self, signs=None):
        self.signs, self.inputs = signs, []

    def __call__(self, x):
        self.inputs.append(x.detach())
        return nn.functional.relu(x) if self.signs is None else x * self.signs[len(self.inputs) - 1]


def gradient_through(rectifiers, model, pixels, labels):
    models.relu = rectifiers
    result = gradient(model, pixels, labels)
    models.relu = nn.functional.relu
    return result


def exact(folder):
    model = models.create("preact-resnet18")
    model.load_state_dict(arrays.read(os.path.join(folder, "start.safetensors")))
    model.double().eval()
    labels = arrays.read(os.path.join(folder, "batch.safetensors"))["labels"].long()
    batches = arrays.read(os.path.join(folder, "iterates.safetensors"))
    signs = arrays.read(os.path.join(folder, "signs.safetensors"))
    answers = {}
    for name in ["clean"] + [f"x{k}" for k in range(STEPS)]:
        x, whole = arrays.nchw(batches[name]).double(), Rectifiers()
        answers[f"{name}.gradient"] = arrays.nhwc(gradient_through(whole, model, x, labels))
        taken = [arrays.nchw(signs[f"{name}.relu{i}"]) if z.dim() == 4 else signs[f"{name}.relu{i}"] for i, z in enumerate(whole.inputs)]
        answers[f"{name}.piece"] = arrays.nhwc(gradient_through(Rectifiers([t.double() for t in taken]), model, x, labels))
        flips = []
        for i, (z, sign) in enumerate(zip(whole.inputs, taken)):
            for at in ((z > 0) != (sign > 0)).nonzero().tolist():
                flips.append([i, at[0], z[tuple(at)].item(), z.abs().max().item()])
        answers[f"{name}.flips"] = torch.tensor(flips, dtype=torch.float64).reshape(-1, 4)
    arrays.write(os.path.join(folder, "exact.safetensors"), answers)


if __name__ == "__main__":
    torch.set_num_threads(2)
    {"make": make, "step": answer, "exact": exact}[sys.argv[1]](sys.argv[2])
