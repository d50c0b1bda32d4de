#!/usr/bin/env python3
"""Compares the losses of the same training steps on two backends, by the steps.jsonl that `dom train --log-steps` writes.

usage: agreement.py REFERENCE_RUN YARDSTICK_RUN RUN

All three are folders of the same run. The yardstick differs from the reference only in how its sums are rounded (--conv direct against winograd); training makes such
differences grow from step to step, on any device. RUN agrees where its largest relative difference to the reference is at most ten times that of the yardstick up to
the same step, or below 1e-5. The exit code says whether it does.
"""
import json
import os
import sys

FACTOR, ALWAYS_ALLOWED = 10, 1e-5


def losses(run):
    with open(os.path.join(run, "steps.jsonl")) as file:
        return [json.loads(line)["loss"] for line in file]


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    reference, yardstick, run = (losses(folder) for folder in sys.argv[1:])
    if not len(reference) == len(yardstick) == len(run) > 0:
        sys.exit(f"the runs have {len(reference)}, {len(yardstick)} and {len(run)} steps; they must have the same number")
    allowed, largest, first = ALWAYS_ALLOWED, 0.0, None
    print("step  reference            difference of the yardstick, of the run (relative)")
    for step, (expected, other, found) in enumerate(zip(reference, yardstick, run), 1):
        differences = [abs(value - expected) / abs(expected) for value in (other, found)]
        allowed, largest = max(allowed, FACTOR * differences[0]), max(largest, differences[1])
        if first is None and not differences[1] <= allowed:
            first = step
        print(f"{step:4}  {expected:.15f}    {differences[0]:.1e}    {differences[1]:.1e}")
    verdict = f"they agree: at most {largest:.1e} apart" if first is None else f"THEY DIFFER from step {first} on, by up to {largest:.1e}"
    print(f"{len(run)} steps of {os.path.basename(sys.argv[3])} and {os.path.basename(sys.argv[1])}: {verdict}")
    sys.exit(0 if first is None else 1)


if __name__ == "__main__":
    main()
