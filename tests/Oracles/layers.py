"""layers.py FILE: single layers and a pre-activation block at odd shapes, forward and backward, in PyTorch.

Each case NAME leaves NAME.x, NAME.dy (the seed of the backward pass), NAME.y, NAME.dx and its own parameters
with their gradients (NAME.weight, NAME.dweight, ...), activations as [N, H, W, C], convolution weights as [K, R, S, C].
"""
import sys

import torch
from torch import nn
from torch.nn import functional

import arrays
import models

answers = {}


def put(name, tensor):
    answers[name] = arrays.nhwc(tensor) if tensor.dim() == 4 else tensor.detach().clone()


def record(name, x, apply, **parameters):
    """Runs the layer and its backward pass from a random seed."""
    x.requires_grad_()
    for value in parameters.values():
        value.requires_grad_()
    y = apply(x)
    dy = torch.randn(y.shape)
    y.backward(dy)
    for key, value in (("x", x), ("y", y), ("dy", dy), ("dx", x.grad)):
        put(f"{name}.{key}", value)
    for key, value in parameters.items():
        put(f"{name}.{key}", value)
        put(f"{name}.d{key}", value.grad)


def convolution(name, n, size, inputs, outputs, kernel, stride, padding):
    x, weight = torch.randn(n, inputs, *size), torch.randn(outputs, inputs, *kernel) / (inputs * kernel[0] * kernel[1]) ** 0.5
    record(name, x, lambda x: functional.conv2d(x, weight, stride=stride, padding=padding), weight=weight)


def normalization(name, training):
    x, gamma, beta = 3 * torch.randn(5, 7, 3, 4) + 2, torch.randn(7), torch.randn(7)
    mean, variance = torch.randn(7), torch.rand(7) + 0.5
    put(name + ".mean", mean)
    put(name + ".variance", variance)
    record(name, x, lambda x: functional.batch_norm(x, mean, variance, gamma, beta, training=training), gamma=gamma, beta=beta)
    put(name + ".mean_after", mean)
    put(name + ".variance_after", variance)


def block(name, inputs, outputs, stride, x):
    model = models.Preactivated(inputs, outputs, stride, "convShortcut")
    for key, value in model.named_parameters():
        if "bn" in key:
            nn.init.normal_(value, 1 if key.endswith("weight") else 0, 0.3)
    record(name, x, model, **{key.replace(".", "_"): value for key, value in model.named_parameters()})


def main(path):
    torch.manual_seed(3)
    convolution("conv 3x3", 2, (9, 7), 5, 6, (3, 3), 1, 1)
    convolution("conv 3x3 stride 2", 3, (11, 8), 7, 9, (3, 3), 2, 1)
    convolution("conv 5x5", 2, (9, 10), 3, 13, (5, 5), 1, 2)
    convolution("conv 5x5 stride 3 no padding", 1, (13, 17), 1, 3, (5, 5), 3, 0)
    convolution("conv 1x1 stride 2", 2, (7, 7), 17, 33, (1, 1), 2, 0)
    convolution("conv 3x5", 2, (8, 9), 4, 5, (3, 5), 1, 1)
    convolution("conv 3x3 one pixel", 4, (1, 1), 19, 3, (3, 3), 1, 1)
    convolution("conv 3x3 wide", 2, (8, 8), 64, 65, (3, 3), 1, 1)
    normalization("batch norm of a batch", True)
    normalization("batch norm of given statistics", False)
    record("max pool 3x3 stride 2", torch.randn(2, 5, 9, 7), lambda x: functional.max_pool2d(x, 3, 2, 1))
    record("max pool 2x2", torch.randn(2, 3, 7, 8), lambda x: functional.max_pool2d(x, 2))
    record("average pool 2x2", torch.randn(2, 3, 7, 8), lambda x: functional.avg_pool2d(x, 2))
    record("average pool 3x2", torch.randn(2, 5, 9, 7), lambda x: functional.avg_pool2d(x, (3, 2), 2))
    record("global average pool", torch.randn(3, 5, 7, 3), lambda x: x.mean((2, 3)))
    weight, bias = torch.randn(5, 37), torch.randn(5)
    record("linear", torch.randn(7, 37), lambda x: functional.linear(x, weight, bias), weight=weight, bias=bias)
    labels = torch.randint(0, 11, (9,))
    put("cross-entropy.labels", labels.int())
    record("cross-entropy", 5 * torch.randn(9, 11), lambda x: functional.cross_entropy(x, labels, reduction="none"))
    block("block", 5, 5, 1, torch.randn(3, 5, 7, 6))
    block("block with projection", 5, 11, 2, torch.randn(3, 5, 9, 7))
    arrays.write(path, answers)


if __name__ == "__main__":
    main(*sys.argv[1:])
