"""PyTorch's side of the comparison of convolutions: one pass of one convolution at a time, warm.

usage: pytorch_conv.py THREADS nchw|channels_last
Every line on standard input is answered by one on standard output:
  shape BATCH HEIGHT WIDTH INPUTS OUTPUTS KERNEL STRIDE PADDING    makes the operands; answers "ready"
  Forward|InputGradient|WeightGradient WARM SECONDS                milliseconds of a call: the mean over as many calls
                                                                   as fill the seconds, after others that fill WARM
The environment (glibc's MALLOC_ variables) is the caller's business: it must be set before the process starts. The end
of the input ends the process.
"""
import sys
import time

import torch

DILATION, TRANSPOSED, OUTPUT_PADDING, GROUPS = [1, 1], False, [0, 0], 1


class Convolution:
    """Operands in one memory format; output_mask asks for one gradient, so the other is not computed."""

    def __init__(self, memory_format, batch, height, width, inputs, outputs, kernel, stride, padding):
        self.stride, self.padding = [stride, stride], [padding, padding]
        self.x = torch.rand(batch, inputs, height, width).sub_(0.5).contiguous(memory_format=memory_format)
        self.weight = torch.rand(outputs, inputs, kernel, kernel).sub_(0.5).contiguous(memory_format=memory_format)
        self.dy = self.forward().contiguous(memory_format=memory_format)

    def forward(self):
        return torch.ops.aten.convolution(
            self.x, self.weight, None, self.stride, self.padding, DILATION, TRANSPOSED, OUTPUT_PADDING, GROUPS)

    def backward(self, output_mask):
        return torch.ops.aten.convolution_backward(
            self.dy, self.x, self.weight, None, self.stride, self.padding, DILATION, TRANSPOSED, OUTPUT_PADDING, GROUPS,
            output_mask)

    def run(self, one_pass):
        if one_pass == "Forward":
            return self.forward()
        return self.backward([one_pass == "InputGradient", one_pass == "WeightGradient", False])


def milliseconds(call, seconds):
    calls, begin = 0, time.perf_counter()
    while True:
        call()
        calls += 1
        elapsed = time.perf_counter() - begin
        if elapsed >= seconds:
            return 1e3 * elapsed / calls


def main():
    torch.set_num_threads(int(sys.argv[1]))
    torch.manual_seed(0)
    memory_format = torch.channels_last if sys.argv[2] == "channels_last" else torch.contiguous_format
    print(f"PyTorch {torch.__version__}", flush=True)
    convolution = None
    with torch.no_grad():
        for line in sys.stdin:
            word, *rest = line.split()
            if word == "shape":
                convolution = Convolution(memory_format, *map(int, rest))
                print("ready", flush=True)
            else:
                for seconds in map(float, rest):
                    result = milliseconds(lambda: convolution.run(word), seconds)
                print(f"{result:.4f}", flush=True)


main()
