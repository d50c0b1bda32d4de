"""The networks in PyTorch, written from their definitions, with the names of their state dictionaries."""
import math

import torch
from torch import nn
from torch.nn.functional import cross_entropy, relu

MEAN = torch.tensor([0.4914, 0.4822, 0.4465])
STD = torch.tensor([0.2471, 0.2435, 0.2616])


class Preactivated(nn.Module):
    """Batch norm and ReLU before each of two 3x3 convolutions. A projection sees the activated input, the identity the raw one."""

    def __init__(self, inputs, outputs, stride, projection):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.projection = None
        if stride != 1 or inputs != outputs:
            layer = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            setattr(self, projection, nn.Sequential(layer) if projection == "shortcut" else layer)
            self.projection = projection

    def forward(self, x):
        activated = relu(self.bn1(x))
        kept = x if self.projection is None else getattr(self, self.projection)(activated)
        return self.conv2(relu(self.bn2(self.conv1(activated)))) + kept


class PreActResNet(nn.Module):
    def __init__(self, widths, blocks, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, widths[0], 3, 1, 1, bias=False)
        inputs, self.stages = widths[0], len(widths)
        for stage, (width, count) in enumerate(zip(widths, blocks)):
            layers = []
            for i in range(count):
                layers.append(Preactivated(inputs, width, 2 if i == 0 and stage > 0 else 1, "shortcut"))
                inputs = width
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layers))
        self.bn = nn.BatchNorm2d(inputs)
        self.linear = nn.Linear(inputs, classes)

    def forward(self, x):
        x = self.conv1(x)
        for stage in range(self.stages):
            x = getattr(self, f"layer{stage + 1}")(x)
        return self.linear(relu(self.bn(x)).mean((2, 3)))


class Group(nn.Module):
    def __init__(self, inputs, outputs, count, stride):
        super().__init__()
        self.layer = nn.Sequential(*[
            Preactivated(inputs if i == 0 else outputs, outputs, stride if i == 0 else 1, "convShortcut") for i in range(count)])

    def forward(self, x):
        return self.layer(x)


class WideResNet(nn.Module):
    def __init__(self, depth, width, classes=10):
        super().__init__()
        count, widths = (depth - 4) // 6, [16, 16 * width, 32 * width, 64 * width]
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        for group in range(3):
            setattr(self, f"block{group + 1}", Group(widths[group], widths[group + 1], count, 2 if group > 0 else 1))
        self.bn1 = nn.BatchNorm2d(widths[3])
        self.fc = nn.Linear(widths[3], classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, 0, math.sqrt(2 / (module.kernel_size[0] ** 2 * module.out_channels)))
        nn.init.zeros_(self.fc.bias)

    def forward(self, x):
        x = self.block3(self.block2(self.block1(self.conv1(x))))
        return self.fc(relu(self.bn1(x)).mean((2, 3)))


def create(name):
    """A network with PyTorch's own first weights."""
    torch.manual_seed(7)
    return {
        "preact-resnet18": lambda: PreActResNet([64, 128, 256, 512], [2, 2, 2, 2]),
        "wide-resnet16-2": lambda: WideResNet(16, 2),
    }[name]()


def logits(model, pixels):
    """Of pixels [N, C, H, W] in 0..1: the normalization is a part of the network."""
    return model((pixels - MEAN[:, None, None]) / STD[:, None, None])


def images(count, seed):
    """Blurred noise around a pattern of the class: learnable, in 0..1, float32; with labels."""
    random = torch.Generator().manual_seed(seed)
    patterns = torch.rand(10, 3, 8, 8, generator=torch.Generator().manual_seed(99))
    labels = torch.randint(0, 10, (count,), generator=random)
    noise = torch.rand(count, 3, 16, 16, generator=random)
    grow = nn.functional.interpolate
    mixed = 0.6 * grow(patterns[labels], (32, 32), mode="bilinear", align_corners=False) + \
        0.6 * grow(noise, (32, 32), mode="bilinear", align_corners=False) - 0.1
    return mixed.clamp(0, 1), labels


def optimizer(model, rate):
    return torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9, weight_decay=5e-4)


def step(model, update, pixels, labels):
    """One training step; the mean loss."""
    model.train()
    update.zero_grad()
    loss = cross_entropy(logits(model, pixels), labels)
    loss.backward()
    update.step()
    return loss.item()


def briefly_trained(name, steps=2):
    """A network after a few steps: weights and running statistics are no longer those that it started with."""
    model = create(name)
    update = optimizer(model, 0.05)
    for i in range(steps):
        step(model, update, *images(12, 100 + i))
    return model
