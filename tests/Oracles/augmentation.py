"""augmentation.py operations FOLDER: torchvision's operations on uint8 images, one by one.
augmentation.py policies FOLDER: torchvision's RandAugment and AugMix, told what to draw.
augmentation.py tables FOLDER: torchvision's tables of magnitudes.

operations: images.safetensors holds batches u8 [N, H, W, C]; steps.safetensors "operation" i32 [K], "magnitude" f32 [K] and "bilinear" i32 [K]; what each step makes of each
batch goes to results.safetensors, [K, N, H, W, C] under the name of the batch.
policies: images.safetensors "images" u8 [N, H, W, C]; randaugment.safetensors "operation" i32 and "magnitude" f32 [N, K]; augmix.safetensors the same [N, 3, 3], Identity where a chain is
over, and "weights" f32 [N, 4]. Each image goes through torchvision by itself, whose random numbers are those that lead to these steps. To results.safetensors "randaugment", "augmix".
tables: tables.safetensors "randaugment" f32 [14, 31] and "augmix" [14, 10] for images of 32 x 30 (height x width), in the order of the engine's operations; NaN where there is none.
"""
import os
import sys

import torch
from torchvision.transforms import AugMix, InterpolationMode, RandAugment, autoaugment

import arrays

# In the order of the engine's numbers.
OPERATIONS = ["Identity", "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness", "Color", "Contrast", "Sharpness", "Posterize", "Solarize", "AutoContrast", "Equalize"]


def path(folder, name):
    return os.path.join(folder, name + ".safetensors")


def operations(folder):
    steps = arrays.read(path(folder, "steps"))
    table = list(zip(steps["operation"].tolist(), steps["magnitude"].tolist(), steps["bilinear"].tolist()))
    results = {}
    for name, images in arrays.read(path(folder, "images")).items():
        x = arrays.nchw(images)
        results[name] = torch.stack([
            arrays.nhwc(autoaugment._apply_op(x, OPERATIONS[operation], magnitude, InterpolationMode.BILINEAR if bilinear else InterpolationMode.NEAREST, None))
            for operation, magnitude, bilinear in table])
    arrays.write(path(folder, "results"), results)


class Script:
    """Takes the place of torch.randint within torchvision's policies: gives the numbers it was told, in turn."""

    def __init__(self, numbers):
        self.numbers = list(numbers)

    def __call__(self, *arguments, **named):
        return torch.tensor([self.numbers.pop(0)])

    def __enter__(self):
        self.original, torch.randint = torch.randint, self
        return self

    def __exit__(self, *failure):
        torch.randint = self.original
        if failure[0] is None:
            assert not self.numbers, "torchvision drew less than was told"


def drawn(space, operation, magnitude):
    """What torchvision must draw to come to a step: the operation, the bin where it draws one, and the sign where there is one."""
    name = OPERATIONS[operation]
    magnitudes, signed = space[name]
    bins = []
    if magnitudes.ndim > 0:
        bins = (magnitudes == magnitude.abs()).nonzero().flatten().tolist()
        assert bins, f"{name}: {magnitude.item()} is not among {magnitudes.tolist()}"
    return [list(space).index(name)], bins[:1], [int(torch.signbit(magnitude))] if signed else []


def rand_augment(x, operations, magnitudes):
    policy = RandAugment()
    space = policy._augmentation_space(31, x.shape[-2:])
    numbers = []
    for operation, magnitude in zip(operations.tolist(), magnitudes):
        which, bins, sign = drawn(space, operation, magnitude)
        assert not bins or space[OPERATIONS[operation]][0][9] == magnitude.abs()
        numbers += which + sign
    with Script(numbers):
        return policy(x)


def aug_mix(x, operations, magnitudes, weights):
    policy = AugMix()
    space = policy._augmentation_space(10, x.shape[-2:])
    numbers = []
    for chain, chain_magnitudes in zip(operations.tolist(), magnitudes):
        chain = [operation for operation in chain if operation > 0]
        numbers.append(len(chain))
        for operation, magnitude in zip(chain, chain_magnitudes):
            numbers += sum(drawn(space, operation, magnitude), [])
    # The weights of the chains come multiplied already.
    dirichlet = [torch.stack([weights[0], torch.tensor(1.0)])[None], weights[None, 1:]]
    policy._sample_dirichlet = lambda parameters: dirichlet.pop(0)
    with Script(numbers):
        return policy(x)


def policies(folder):
    x = arrays.nchw(arrays.read(path(folder, "images"))["images"])
    rand, mix = arrays.read(path(folder, "randaugment")), arrays.read(path(folder, "augmix"))
    results = {
        "randaugment": torch.stack([rand_augment(x[i], rand["operation"][i], rand["magnitude"][i]) for i in range(len(x))]),
        "augmix": torch.stack([aug_mix(x[i], mix["operation"][i], mix["magnitude"][i], mix["weights"][i]) for i in range(len(x))]),
    }
    arrays.write(path(folder, "results"), {name: arrays.nhwc(y) for name, y in results.items()})


def tables(folder):
    spaces = {"randaugment": (RandAugment()._augmentation_space(31, (32, 30)), 31), "augmix": (AugMix()._augmentation_space(10, (32, 30)), 10)}
    result = {}
    for name, (space, bins) in spaces.items():
        table = torch.full((14, bins), float("nan"))
        for i, operation in enumerate(OPERATIONS):
            if operation in space and space[operation][0].ndim > 0:
                table[i] = space[operation][0].float()
        result[name] = table
    arrays.write(path(folder, "tables"), result)


if __name__ == "__main__":
    torch.set_num_threads(2)
    {"operations": operations, "policies": policies, "tables": tables}[sys.argv[1]](sys.argv[2])
