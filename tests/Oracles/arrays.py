"""Named arrays between the tests and PyTorch: a small reader and writer of the safetensors format."""
import json
import struct

import numpy as np
import torch

TYPES = {"F32": "<f4", "F64": "<f8", "I64": "<i8", "I32": "<i4", "U8": "u1"}


def read(path):
    """The tensors of a file by name, in the order of the file."""
    with open(path, "rb") as file:
        raw = file.read()
    length, = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8:8 + length].decode("utf-8"))
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        data = np.frombuffer(raw[8 + length + begin:8 + length + end], TYPES[entry["dtype"]])
        tensors[name] = torch.from_numpy(data.reshape(entry["shape"]).copy())
    return tensors


def write(path, tensors):
    """Writes tensors by name; f32, f64, i64, i32 and u8."""
    header, blocks, offset = {}, [], 0
    for name, tensor in tensors.items():
        array = tensor.detach().contiguous().numpy()
        kind = next(k for k, v in TYPES.items() if np.dtype(v) == array.dtype)
        data = array.tobytes()
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [offset, offset + len(data)]}
        blocks.append(data)
        offset += len(data)
    text = json.dumps(header).encode("utf-8")
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blocks))


def nhwc(x):
    """PyTorch's [N, C, H, W] in the engine's order."""
    return x.permute(0, 2, 3, 1).contiguous()


def nchw(x):
    """The engine's [N, H, W, C] in PyTorch's order."""
    return x.permute(0, 3, 1, 2).contiguous()
