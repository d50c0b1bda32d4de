#!/usr/bin/env python3
"""PyTorch's side of a comparison on a GPU: the steps that `dom bench --work train,infer,pgd` measures, in every way that a careful user would write them.

usage: peer.py [--work train,infer,pgd] [--batch 128,512] [--variants NAME,...] [--compile] [--seconds S | --rounds N] [--ceilings]
       peer.py --serve        answers lines on standard input, see serve(); steps.py uses it to take turns with ours

Every step does what ours does: a batch is gathered out of bytes on the device, padded by reflection, cropped and flipped at random there, the network normalizes the
pixels itself, the losses of all samples reach the host (while the next step is queued), SGD has momentum 0.9 and weight decay 5e-4. The adversarial step is a natural pass in train mode, PGD-10 in
train mode (only the gradient of the pixels), and a training step on the result. One line of JSON for each variant, work and batch; a variant that fails says why
and the others go on.
"""
import argparse
import contextlib
import json
import signal
import statistics
import sys
import time
import warnings

try:
    import torch
    from torch import nn
    from torch.nn.functional import cross_entropy, relu
except ImportError as missing:
    sys.exit(f"{sys.argv[0]} needs PyTorch, which the python3 of this machine lacks: {missing}.")

EPSILON, STEP, ITERATIONS = 8 / 255, 2 / 255, 10
PADDING, SIZE, CLASSES = 4, 32, 10
WORKS = ("train", "infer", "pgd")

# name: TensorFloat-32 allowed, bf16 by autocast, channels last, captured as a CUDA graph, mode of torch.compile
VARIANTS = {
    "f32": (False, False, False, False, None),
    "f32 channels_last": (False, False, True, False, None),
    "tf32 channels_last": (True, False, True, False, None),
    "bf16": (True, True, True, False, None),
    "bf16 graph": (True, True, True, True, None),
}
COMPILED = {
    "bf16 compile": (True, True, True, False, "default"),
    "bf16 compile reduce-overhead": (True, True, True, False, "reduce-overhead"),
}


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


class PreActResNet(nn.Module):
    """PreActResNet-18 unless told otherwise. The normalization of the pixels is inside, as in ours."""

    def __init__(self, widths=(64, 128, 256, 512), depth=2):
        super().__init__()
        self.conv1 = nn.Conv2d(3, widths[0], 3, 1, 1, bias=False)
        blocks, inputs = [], widths[0]
        for stage, width in enumerate(widths):
            for i in range(depth):
                blocks.append(Block(inputs, width, 2 if stage > 0 and i == 0 else 1))
                inputs = width
        self.blocks = nn.Sequential(*blocks)
        self.bn = nn.BatchNorm2d(inputs)
        self.linear = nn.Linear(inputs, CLASSES)

    def forward(self, pixels):
        return self.logits((pixels - 0.5) / 0.25)

    def logits(self, normalized):
        x = self.blocks(self.conv1(normalized))
        return self.linear(relu(self.bn(x), inplace=True).mean((2, 3)))


class Data:
    """A batch's worth of random byte images on the device, NHWC, and their labels; ours measures with as many."""

    def __init__(self, batch, device):
        self.images = torch.randint(0, 256, (batch, SIZE, SIZE, 3), dtype=torch.uint8, device=device)
        self.labels = (torch.arange(batch) % CLASSES).to(device)
        self.rows = torch.arange(batch)
        if device.type == "cuda":
            self.rows = self.rows.pin_memory()
        self.at = self.rows.to(device)
        self.axis = torch.arange(SIZE, device=device)

    def choose(self):
        """Copies the rows of the step to the device, as every step of a training run must."""
        self.at.copy_(self.rows, non_blocking=True)

    def plain(self):
        return self.images[self.at].permute(0, 3, 1, 2).float() / 255

    def augmented(self):
        """Reflection padding, a random crop and a random flip are one look-up: where each pixel of the result comes from."""
        batch, device = len(self.at), self.at.device
        corner = torch.randint(0, 2 * PADDING + 1, (2, batch, 1), device=device)
        mirrored = torch.randint(0, 2, (batch, 1), device=device, dtype=torch.bool)
        columns = torch.where(mirrored, SIZE - 1 - self.axis, self.axis)
        rows, columns = (self._reflected(self.axis + corner[0]), self._reflected(columns + corner[1]))
        return self.images[self.at[:, None, None], rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2).float() / 255

    @staticmethod
    def _reflected(place):
        return SIZE - 1 - (SIZE - 1 - (place - PADDING).abs()).abs()


class Workload:
    """A network and one of the works, in one of the variants."""

    def __init__(self, name, work, batch, device):
        self.tf32, self.bf16, self.channels_last, self.graphed, self.mode = {**VARIANTS, **COMPILED}[name]
        self.name, self.work, self.batch, self.device = name, work, batch, device
        self.data = Data(batch, device)
        self.format = torch.channels_last if self.channels_last else torch.contiguous_format
        self.network = PreActResNet().to(device, memory_format=self.format).train(work != "infer")
        self.apply = torch.compile(self.network, mode=self.mode, dynamic=False) if self.mode else self.network
        self.update = sgd(self.network, device, 1e-3)
        self.graph, self.result = None, None
        self.runs_ahead = device.type == "cuda" and work != "infer"
        if self.runs_ahead:
            self.slots = [(torch.empty(batch, pin_memory=True), torch.cuda.Event()) for _ in range(2)]

    def prepare(self, warm_up):
        """Everything that is done once: algorithms are chosen, code is compiled, the graph is captured."""
        self._settings()
        if self.graphed:
            self._capture()
        for _ in range(warm_up):
            self.step()

    def step(self):
        """
        One step. Where the device works behind the host, training queues it and then waits for the losses of the step before, as ours does; inference ends when its
        logits are on the host.
        """
        self.data.choose()
        if self.graph is None:
            result = self._queue()
        else:
            self.graph.replay()
            result = self.result
        if not self.runs_ahead:
            return result.cpu()
        (before, _), (losses, arrived) = self.slots
        losses.copy_(result, non_blocking=True)
        arrived.record()
        self.slots.reverse()
        self.slots[1][1].synchronize()
        return before

    def times(self, seconds, rounds):
        """Milliseconds from step to step, one step in advance where training runs ahead; synchronized before the first and behind the last."""
        self._settings()
        samples = []
        self._synchronize()
        if self.runs_ahead:
            self.step()
        begin = start = time.perf_counter()
        while (len(samples) < rounds) if rounds else (len(samples) < 3 or start - begin < seconds):
            self.step()
            now = time.perf_counter()
            samples.append(1e3 * (now - start))
            start = now
        self._synchronize()
        return samples

    def _queue(self):
        if self.work == "infer":
            with torch.inference_mode(), self._autocast():
                return self._forward(self.data.plain()).float()
        pixels, labels = self.data.augmented(), self.data.labels[self.data.at]
        if self.work == "pgd":
            with torch.no_grad(), self._autocast():
                cross_entropy(self._forward(pixels).float(), labels, reduction="none")
            pixels = self._attacked(pixels, labels)
        self.update.zero_grad(set_to_none=True)
        with self._autocast():
            logits = self._forward(pixels)
        losses = cross_entropy(logits.float(), labels, reduction="none")
        losses.mean().backward()
        self.update.step()
        return losses.detach()

    def _attacked(self, clean, labels):
        """PGD in the ball of the maximum norm. One autocast around all of it: the bf16 copies of the weights are made once."""
        x = (clean + torch.empty_like(clean).uniform_(-EPSILON, EPSILON)).clamp_(0, 1)
        low, high = (clean - EPSILON).clamp_(min=0), (clean + EPSILON).clamp_(max=1)
        with self._frozen(), self._autocast():
            for _ in range(ITERATIONS):
                x.requires_grad_(True)
                loss = cross_entropy(self._forward(x).float(), labels, reduction="sum")
                with torch.autocast(self.device.type, enabled=False):
                    gradient, = torch.autograd.grad(loss, x)
                with torch.no_grad():
                    x = torch.min(torch.max(x + STEP * gradient.sign(), low), high)
        return x.detach()

    @contextlib.contextmanager
    def _frozen(self):
        """Compiled code would compute the gradients of the weights too, which eager code leaves out by itself."""
        parameters = list(self.network.parameters()) if self.mode else []
        for parameter in parameters:
            parameter.requires_grad_(False)
        yield
        for parameter in parameters:
            parameter.requires_grad_(True)

    def _forward(self, pixels):
        if self.mode == "reduce-overhead":
            torch.compiler.cudagraph_mark_step_begin()
        return self.apply(pixels.contiguous(memory_format=self.format))

    def _autocast(self):
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.bf16)

    def _capture(self):
        if self.device.type != "cuda":
            raise RuntimeError("a graph needs a CUDA device")
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self._queue()
        torch.cuda.current_stream().wait_stream(side)
        self.update.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.result = self._queue()
        self.graph = graph

    def _settings(self):
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.allow_tf32 = self.tf32
        torch.backends.cuda.matmul.allow_tf32 = self.tf32

    def _synchronize(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize()


def sgd(network, device, rate):
    """SGD over all parameters, the fastest that this PyTorch has."""
    options = {"lr": rate, "momentum": 0.9, "weight_decay": 5e-4}
    for way in ({"fused": True} if device.type == "cuda" else {}, {"foreach": True}, {}):
        with contextlib.suppress(TypeError, RuntimeError):
            return torch.optim.SGD(network.parameters(), **options, **way)
    raise RuntimeError("SGD cannot be made")


class OutOfTime(Exception):
    pass


@contextlib.contextmanager
def at_most(seconds):
    """Raises OutOfTime where the body takes longer."""

    def stop(*_):
        raise OutOfTime(f"not ready after {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(max(1, int(seconds)))
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def allocated(device, peak=False):
    if device.type != "cuda":
        return 0
    return torch.cuda.max_memory_allocated() if peak else torch.cuda.memory_allocated()


def prepared(name, work, batch, device, warm_up, budget):
    """The workload, ready, and what the making of it says: seconds, memory, or why there is none."""
    begin = time.perf_counter()
    said = {"variant": name, "work": work, "batch": batch}
    before = allocated(device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    try:
        with at_most(budget):
            workload = Workload(name, work, batch, device)
            workload.prepare(warm_up)
    except Exception as error:  # whatever a variant does not survive is its own business
        lines = [line for line in str(error).splitlines() if line.strip()]
        return None, {**said, "error": f"{type(error).__name__}: {lines[0] if lines else ''}"[:300]}
    return workload, {**said, "ready_s": round(time.perf_counter() - begin, 2), "peak_memory_bytes": allocated(device, peak=True) - before}


def figures(samples, batch):
    median = statistics.median(samples)
    return {"ms": median, "fastest_ms": min(samples), "slowest_ms": max(samples), "n": len(samples), "images_per_s": 1e3 * batch / median}


def ceilings(device, quick):
    """Bytes a second of a large copy (read and written), operations a second of large products of random matrices; the best of ten."""
    size, count = (256, 1 << 20) if quick else (8192, 512 << 20)
    a = torch.empty(count, dtype=torch.uint8, device=device).random_(0, 256)
    b = torch.empty_like(a)
    result = {"copy_bytes_per_s": 2 * count / best(lambda: b.copy_(a), device)}
    for name, kind, tf32 in (("bf16", torch.bfloat16, True), ("tf32", torch.float32, True), ("f32", torch.float32, False)):
        torch.backends.cuda.matmul.allow_tf32 = tf32
        x, y = (torch.randn(size, size, device=device).to(kind) for _ in range(2))
        z = torch.empty_like(x)
        result[f"matmul_{name}_flops"] = 2 * size ** 3 / best(lambda: torch.mm(x, y, out=z), device)
    return result


def best(work, device):
    samples = []
    for _ in range(13):
        if device.type == "cuda":
            torch.cuda.synchronize()
        begin = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        samples.append(time.perf_counter() - begin)
    return min(samples[3:])


def describe(device):
    name = torch.cuda.get_device_name() if device.type == "cuda" else "CPU"
    return {"torch": torch.__version__, "device": name, "cudnn": torch.backends.cudnn.version() if device.type == "cuda" else None}


def say(value):
    print(json.dumps(value), flush=True)


def serve(options, device):
    """Answers each line by one line of JSON, so that a caller can take turns with the peer:

    prepare WORK BATCH            makes all variants ready but the compiled ones, and forgets those before
    compile WORK BATCH SECONDS    the same with the compiled variants, in SECONDS each
    round                         milliseconds of the steps of every variant that is ready
    ceilings                      see ceilings()
    """
    say(describe(device))
    workloads = []
    for line in sys.stdin:
        verb, *words = line.split()
        if verb in ("prepare", "compile"):
            work, batch, seconds = words[0], int(words[1]), float(words[2]) if verb == "compile" else options.budget
            forget(workloads, device)
            answers = []
            for name in list(COMPILED) if verb == "compile" else options.variants:
                workload, said = prepared(name, work, batch, device, options.warm_up, seconds)
                answers.append(said)
                if workload:
                    workloads.append(workload)
            say(answers)
        elif verb == "round":
            say({workload.name: workload.times(options.seconds, options.rounds) for workload in workloads})
        elif verb == "ceilings":
            say(ceilings(device, options.quick))
        else:
            say({"error": f"'{verb}' is not prepare, compile, round or ceilings"})


def allow_recompiling():
    """Every network here is compiled for its own batch, mode and gradients; past a limit that suits one program, PyTorch would quietly run it uncompiled."""
    if hasattr(torch, "compile"):
        for limit in ("recompile_limit", "accumulated_recompile_limit", "cache_size_limit", "accumulated_cache_size_limit"):
            with contextlib.suppress(AttributeError):
                getattr(torch._dynamo.config, limit)
                setattr(torch._dynamo.config, limit, 1024)


def forget(workloads, device):
    workloads.clear()
    if hasattr(torch, "compile"):
        torch._dynamo.reset()
    if device.type == "cuda":
        torch.cuda.synchronize()
        torch.cuda.empty_cache()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = lambda text: text.split(",")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--work", type=names, default=list(WORKS), help="of train, infer, pgd")
    parser.add_argument("--batch", type=lambda text: [int(part) for part in text.split(",")], default=[128, 512])
    parser.add_argument("--variants", type=names, default=list(VARIANTS), help=f"of {', '.join(VARIANTS)}")
    parser.add_argument("--compile", action="store_true", help=f"also {', '.join(COMPILED)}, which take a minute each")
    parser.add_argument("--seconds", type=float, default=1.0, help="time for the steps of each variant")
    parser.add_argument("--rounds", type=int, default=0, help="or this number of steps")
    parser.add_argument("--warm-up", type=int, default=10, help="steps before")
    parser.add_argument("--budget", type=float, default=60, help="seconds in which a variant must be ready; four times as many with --compile")
    parser.add_argument("--ceilings", action="store_true", help="first copy and matrix products")
    parser.add_argument("--quick", action="store_true", help="tiny sizes and one step: does it run at all?")
    parser.add_argument("--serve", action="store_true", help="answer lines on standard input")
    options = parser.parse_args()
    if options.quick:
        options.batch, options.rounds, options.warm_up = [4], 1, 1
    for kind, given, known in (("--work", options.work, WORKS), ("--variants", options.variants, {**VARIANTS, **COMPILED})):
        for name in given:
            if name not in known:
                parser.error(f"{kind}: '{name}' is not one of {', '.join(known)}")
    return options


def main():
    warnings.filterwarnings("ignore")
    options = arguments()
    device = torch.device(options.device)
    torch.manual_seed(0)
    allow_recompiling()
    if options.serve:
        serve(options, device)
        return
    say(describe(device))
    if options.ceilings:
        say(ceilings(device, options.quick))
    for batch in options.batch:
        for work in options.work:
            for name in options.variants + (list(COMPILED) if options.compile else []):
                workload, said = prepared(name, work, batch, device, options.warm_up, options.budget * (4 if name in COMPILED else 1))
                say({**said, **figures(workload.times(options.seconds, options.rounds), batch)} if workload else said)
                workload = None
                forget([], device)


if __name__ == "__main__":
    main()
