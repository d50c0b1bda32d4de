#!/usr/bin/env python3
"""Trains PreActResNet-18 on CIFAR-10 by PyTorch with the recipe of `dom train --schedule cosine`: is an accuracy what the data and the recipe give, or what we lose?

usage: train_peer.py FOLDER [--epochs 30] [--batch 128] [--lr 0.1] [--seed 0] [--precision bf16] [--device cuda] [--model preact-resnet18|small]
                     [--limit-train N] [--limit-test N] [--no-graph] [--beside RUN]

FOLDER holds the binary files of CIFAR-10, or cifar-10-batches-bin with them. A line an epoch; then, with --beside, a table of both trainings, RUN being the folder that
`dom train` wrote; at the end a line of JSON. An interrupted training says how far it came and ends with exit code 130.

The recipe, all of it as ours: PyTorch's initial values; pixels / 255 minus the mean over the deviation of CIFAR-10's channels; reflection padding by 4, a random crop, a
random flip, drawn anew at every visit; a new order every epoch, its last batch smaller; the mean loss of the batch; SGD with momentum 0.9 and weight decay 5e-4 on all
parameters; half a cosine, a step at a time, to a rate of 0 in the last step; batch norm with momentum 0.1 and epsilon 1e-5, running statistics in the test. bf16 is
autocast over f32 parameters, the losses f32. The random numbers are PyTorch's, so two trainings agree as two seeds do, not more.
"""
import argparse
import json
import math
import os
import signal
import statistics
import sys
import time
import warnings

try:
    import torch
    from torch.nn.functional import cross_entropy
except ImportError as missing:
    sys.exit(f"{sys.argv[0]} needs PyTorch, which the python3 of this machine lacks: {missing}.")

import peer

MEAN, DEVIATION = (0.4914, 0.4822, 0.4465), (0.2471, 0.2435, 0.2616)
# Widths of the stages and blocks in each. The small one is our preact-resnet8.
MODELS = {"preact-resnet18": ((64, 128, 256, 512), 2), "small": ((16, 32, 64), 1)}
TEST_BATCH = 500


class Network(peer.PreActResNet):
    """With CIFAR-10's normalization inside."""

    def __init__(self, model):
        super().__init__(*MODELS[model])
        for name, values in (("mean", MEAN), ("deviation", DEVIATION)):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)

    def forward(self, pixels):
        return self.logits((pixels - self.mean) / self.deviation)


class Split(peer.Data):
    """A split on the device; `at` are the rows of the batch that plain() and augmented() give."""

    def __init__(self, folder, names, limit, device):
        records = torch.cat([self._records(os.path.join(folder, name)) for name in names])
        labels = records[:, 0].long()
        if limit:
            rows = self._evenly(labels, limit)
            records, labels = records[rows], labels[rows]
        self.images = records[:, 1:].reshape(-1, 3, peer.SIZE, peer.SIZE).permute(0, 2, 3, 1).contiguous().to(device)
        self.labels = labels.to(device)
        self.axis = torch.arange(peer.SIZE, device=device)
        self.at = None

    def __len__(self):
        return len(self.labels)

    @staticmethod
    def _records(path):
        size = 1 + 3 * peer.SIZE ** 2
        with open(path, "rb") as file:
            content = bytearray(file.read())
        if not content or len(content) % size:
            sys.exit(f"{path}: {len(content)} bytes; the records of CIFAR-10 have {size} each")
        return torch.frombuffer(content, dtype=torch.uint8).view(-1, size)

    @staticmethod
    def _evenly(labels, limit):
        """Rows of the first images of every class, as many of each, in their order."""
        place = torch.zeros_like(labels)
        for label in range(peer.CLASSES):
            place[labels == label] = torch.arange(int((labels == label).sum()))
        return torch.argsort(place * peer.CLASSES + labels)[:limit].sort().values


class Training:
    """A network, its data and its optimizer."""

    def __init__(self, options):
        self.options, self.device = options, torch.device(options.device)
        torch.manual_seed(options.seed)
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
        self.network = Network(options.model).to(self.device, memory_format=torch.channels_last)
        self.update = peer.sgd(self.network, self.device, options.lr)
        self.train = Split(options.folder, [f"data_batch_{i}.bin" for i in range(1, 6)], options.limit_train, self.device)
        self.test = Split(options.folder, ["test_batch.bin"], options.limit_test, self.device)
        self.batch = min(options.batch, len(self.train))
        self.steps = math.ceil(len(self.train) / self.batch)
        # Sum of the losses and number of right predictions, of the epoch under way.
        self.sums = torch.zeros(2, dtype=torch.float64, device=self.device)
        self.graph, self.rows = None, None

    def capture(self):
        """A full batch, from the rows to the gradients, as one graph. The optimizer stays outside, for its rate is a new number every step."""
        self.rows = torch.arange(self.batch, device=self.device)
        self.train.at = self.rows
        self.network.train()
        before = {name: value.clone() for name, value in self.network.state_dict().items()}
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self._gradients()
        torch.cuda.current_stream().wait_stream(side)
        # Captured without gradients, the backward pass writes them; replays do so anew, at the same place.
        self.update.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._gradients()
        # The passes so far have moved the running statistics.
        self.network.load_state_dict(before)
        self.graph = graph

    def epoch(self, epoch):
        """Trains for an epoch: mean loss and accuracy of the images as they were visited, seconds."""
        self._synchronize()
        begin = time.perf_counter()
        self.network.train()
        self.sums.zero_()
        order = torch.randperm(len(self.train), device=self.device)
        for step in range(self.steps):
            rate = self.options.lr * (1 + math.cos(math.pi * (epoch + (step + 1) / self.steps) / self.options.epochs)) / 2
            for group in self.update.param_groups:
                group["lr"] = rate
            self._step(order[step * self.batch:(step + 1) * self.batch])
        loss, right = (self.sums / len(self.train)).tolist()
        return loss, right, time.perf_counter() - begin

    def tested(self):
        """Accuracy on the test images, by the running statistics."""
        self.network.eval()
        right = torch.zeros((), dtype=torch.long, device=self.device)
        with torch.inference_mode(), self._autocast():
            for rows in torch.arange(len(self.test), device=self.device).split(TEST_BATCH):
                self.test.at = rows
                right += (self._logits(self.test.plain()).argmax(1) == self.test.labels[rows]).sum()
        return right.item() / len(self.test)

    def _step(self, rows):
        if self.graph is not None and len(rows) == self.batch:
            self.rows.copy_(rows)
            self.graph.replay()
        else:
            self.train.at = rows
            # Zeros and not none: a graph's gradients must stay where it writes them.
            self.update.zero_grad(set_to_none=self.graph is None)
            self._gradients()
        self.update.step()

    def _gradients(self):
        pixels, labels = self.train.augmented(), self.train.labels[self.train.at]
        with self._autocast():
            logits = self._logits(pixels)
        losses = cross_entropy(logits, labels, reduction="none")
        losses.mean().backward()
        self.sums += torch.stack((losses.detach().double().sum(), (logits.argmax(1) == labels).double().sum()))

    def _logits(self, pixels):
        return self.network(pixels.contiguous(memory_format=torch.channels_last)).float()

    def _autocast(self):
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.options.precision == "bf16")

    def _synchronize(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize()


def table(run, epochs, ours, theirs):
    """Both trainings side by side; ours by the metrics that `dom train` wrote into its folder."""
    lines = [f"| training, {epochs} epochs | test accuracy | best, in epoch | training accuracy | training loss | images/s |", "|---|---|---|---|---|---|"]
    for name, history, why_not in (("dom", ours, f"no figures in {run}"), ("PyTorch", theirs, "no epoch was finished")):
        if not history:
            lines.append(f"| {name} | {why_not} | | | | |")
            continue
        last, best = history[-1], max(history, key=lambda figures: figures["testAccuracy"])
        cut = "" if last["epoch"] == epochs else f", {last['epoch']} epochs only"
        lines.append(f"| {name}{cut} | {last['testAccuracy']:.2%} | {best['testAccuracy']:.2%}, {best['epoch']} | {last['trainAccuracy']:.2%} | {last['trainLoss']:.4f} "
                     f"| {statistics.median(figures['imagesPerSecond'] for figures in history):,.0f} |")
    if ours and theirs and ours[-1]["epoch"] == theirs[-1]["epoch"]:
        difference = 100 * (ours[-1]["testAccuracy"] - theirs[-1]["testAccuracy"])
        lines.append(f"dom is {abs(difference):.2f} points {'above' if difference >= 0 else 'below'} PyTorch on the test images.")
    return "\n".join(lines)


def metrics(run):
    try:
        with open(os.path.join(run, "metrics.jsonl")) as file:
            return [json.loads(line) for line in file if line.endswith("\n")]
    except OSError:
        return []


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="data_batch_1.bin to 5 and test_batch.bin, or a folder cifar-10-batches-bin with them")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--precision", choices=("bf16", "f32"), default="bf16")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--model", choices=list(MODELS), default="preact-resnet18")
    parser.add_argument("--limit-train", type=int, help="so many training images, evenly over the classes")
    parser.add_argument("--limit-test", type=int)
    parser.add_argument("--no-graph", action="store_true", help="queue every operation by itself, which takes four times as long")
    parser.add_argument("--beside", metavar="RUN", help="folder of a run of dom train to compare with")
    options = parser.parse_args()
    for name in ("epochs", "batch", "lr", "limit_train", "limit_test"):
        value = getattr(options, name)
        if value is not None and not value > 0:
            parser.error(f"--{name.replace('_', '-')} is {value}; it must be above 0")
    inside = os.path.join(options.folder, "cifar-10-batches-bin")
    options.folder = inside if os.path.isdir(inside) else options.folder
    if not os.path.isfile(os.path.join(options.folder, "test_batch.bin")):
        parser.error(f"{options.folder}: there is no test_batch.bin")
    return options


def main():
    warnings.filterwarnings("ignore")
    options = arguments()
    begin = time.perf_counter()
    training = Training(options)
    graphed = training.device.type == "cuda" and not options.no_graph
    if graphed:
        try:
            training.capture()
        except RuntimeError as error:
            # A capture that failed may leave the device's state spoiled; a new process has its own.
            print(f"no graph: {error}", file=sys.stderr, flush=True)
            os.execv(sys.executable, [sys.executable, *sys.argv, "--no-graph"])
    # Also where a shell started this in the background, which ignores interrupts otherwise.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    prepared, history, code = time.perf_counter() - begin, [], 0
    try:
        for epoch in range(options.epochs):
            loss, accuracy, seconds = training.epoch(epoch)
            if not math.isfinite(loss):
                sys.exit(f"the loss became {loss} in epoch {epoch + 1}")
            history.append({"epoch": epoch + 1, "trainLoss": loss, "trainAccuracy": accuracy, "testAccuracy": training.tested(), "imagesPerSecond": len(training.train) / seconds})
            print(f"epoch {epoch + 1:{len(str(options.epochs))}}/{options.epochs}  loss {loss:.4f}  train {100 * accuracy:5.1f} %  "
                  f"test {100 * history[-1]['testAccuracy']:5.1f} %  {history[-1]['imagesPerSecond']:,.0f} images/s", flush=True)
    except KeyboardInterrupt:
        print(f"interrupted after {len(history)} of {options.epochs} epochs", file=sys.stderr)
        code = 130
    if options.beside:
        print(table(options.beside, options.epochs, metrics(options.beside), history))
    said = peer.describe(training.device)
    said.update({name: getattr(options, name) for name in ("model", "precision", "epochs", "batch", "lr", "seed")})
    said.update(parameters=sum(p.numel() for p in training.network.parameters()), trainImages=len(training.train), testImages=len(training.test), graph=graphed,
                readySeconds=round(prepared, 1), seconds=round(time.perf_counter() - begin, 1), history=history)
    print(json.dumps(said), flush=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
