"""exchange.py MODEL GIVEN RETURNED [IMAGES LOGITS]: loads a state dictionary, strictly, and writes it back.

With IMAGES (an array "pixels", [N, H, W, C]) the network's logits in evaluation mode go to LOGITS.
"""
import sys

import torch

import arrays
import models


def main(name, given, returned, images=None, answer=None):
    torch.set_num_threads(2)
    model = models.create(name)
    result = model.load_state_dict(arrays.read(given), strict=True)
    assert not result.missing_keys and not result.unexpected_keys
    arrays.write(returned, model.state_dict())
    if images is not None:
        model.eval()
        with torch.no_grad():
            arrays.write(answer, {"logits": models.logits(model, arrays.nchw(arrays.read(images)["pixels"]))})


if __name__ == "__main__":
    main(*sys.argv[1:])
