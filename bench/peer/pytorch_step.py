"""PyTorch's side of a comparison: a round for every line on standard input, its milliseconds on standard output.

usage: pytorch_step.py train|infer|pgd THREADS BATCH nchw|channels_last
The environment (glibc's MALLOC_ variables) is the caller's business: it must be set before the process starts. A line "memory" is answered
by the largest resident size so far, in bytes; the end of the input ends the process.
"""
import sys
import time

import torch
from torch import nn
from torch.nn.functional import cross_entropy, relu

EPSILON, STEP, ITERATIONS = 8 / 255, 2 / 255, 10


class Block(nn.Module):
    """Batch norm and ReLU before each of two 3x3 convolutions; a 1x1 convolution on the shortcut where the shape changes."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if stride > 1 or inputs != outputs else None

    def forward(self, x):
        activated = relu(self.bn1(x), inplace=True)
        kept = x if self.shortcut is None else self.shortcut(activated)
        return self.conv2(relu(self.bn2(self.conv1(activated)), inplace=True)) + kept


class PreActResNet18(nn.Module):
    """The normalization of the pixels is inside, as in ours."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        blocks, inputs = [], 64
        for width, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
            blocks += [Block(inputs, width, stride), Block(width, width, 1)]
            inputs = width
        self.blocks = nn.Sequential(*blocks)
        self.bn = nn.BatchNorm2d(512)
        self.linear = nn.Linear(512, 10)

    def forward(self, pixels):
        x = self.blocks(self.conv1((pixels - 0.5) / 0.25))
        return self.linear(relu(self.bn(x), inplace=True).mean((2, 3)))


def attacked(model, clean, labels):
    """PGD in the ball of the maximum norm; only the gradient of the pixels is computed."""
    x = (clean + torch.empty_like(clean).uniform_(-EPSILON, EPSILON)).clamp_(0, 1)
    for _ in range(ITERATIONS):
        x.requires_grad_(True)
        gradient, = torch.autograd.grad(cross_entropy(model(x), labels, reduction="sum"), x)
        with torch.no_grad():
            x = torch.min(torch.max(x + STEP * gradient.sign(), clean - EPSILON), clean + EPSILON).clamp_(0, 1)
    return x


def train(model, update, pixels, labels):
    update.zero_grad(set_to_none=True)
    loss = cross_entropy(model(pixels), labels)
    loss.backward()
    update.step()
    return loss.item()


def main():
    work, threads, batch, layout = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    memory_format = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    model = PreActResNet18().to(memory_format=memory_format)
    pixels = torch.rand(batch, 3, 32, 32).to(memory_format=memory_format)
    labels = torch.arange(batch) % 10
    update = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4)
    model.train(work != "infer")

    def round_of_work():
        if work == "infer":
            with torch.no_grad():
                model(pixels).sum().item()
        else:
            train(model, update, attacked(model, pixels, labels) if work == "pgd" else pixels, labels)

    print(f"PyTorch {torch.__version__}", flush=True)
    for line in sys.stdin:
        if line.strip() == "memory":
            with open("/proc/self/status") as status:
                print(next(int(entry.split()[1]) * 1024 for entry in status if entry.startswith("VmHWM")), flush=True)
            continue
        begin = time.perf_counter()
        round_of_work()
        print(f"{(time.perf_counter() - begin) * 1000:.3f}", flush=True)


main()
