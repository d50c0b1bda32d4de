"""windows.py FOLDER: PyTorch's average pooling over windows of 4x4, flattening and a linear layer, with all gradients."""
import os
import sys

import torch
from torch.nn.functional import avg_pool2d

import arrays


def main(folder):
    torch.manual_seed(3)
    x = torch.randn(2, 5, 8, 12, requires_grad=True)
    linear = torch.nn.Linear(5 * 6, 7)
    arrays.write(os.path.join(folder, "start.safetensors"), {"linear." + key: value.detach().clone() for key, value in linear.state_dict().items()})
    logits = linear(avg_pool2d(x, 4).flatten(1))
    seed = torch.randn(2, 7)
    logits.backward(seed)
    arrays.write(os.path.join(folder, "answers.safetensors"), {
        "x": arrays.nhwc(x.detach()), "seed": seed, "logits": logits.detach(), "dx": arrays.nhwc(x.grad),
        "linear.weight": linear.weight.grad, "linear.bias": linear.bias.grad})


main(sys.argv[1])
