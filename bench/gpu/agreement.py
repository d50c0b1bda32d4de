#!/usr/bin/env python3
"""Compares the losses of the same training steps on two backends, by the steps.jsonl that `dom train --log-steps` writes.

usage: agreement.py REFERENCE_RUN YARDSTICK_RUN RUN

All three are folders of the same run. The yardstick differs from the reference only in how its sums are rounded (--conv direct against winograd); training makes such
differences grow from step to step, on any device, and in jumps, where a unit of a ReLU changes its side. RUN agrees where its relative difference to the reference is
in no step more than ten times the largest of the yardstick until one step later, or is below 1e-5. The exit code says whether it does.
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
    of_yardstick, of_run = ([abs(value - expected) / abs(expected) for value, expected in zip(values, reference)] for values in (yardstick, run))
    largest, first = max(of_run), None
    print("step  reference            difference of the yardstick, of the run (relative), allowed")
    for step, (expected, usual, found) in enumerate(zip(reference, of_yardstick, of_run), 1):
        allowed = max(ALWAYS_ALLOWED, FACTOR * max(of_yardstick[:step + 1]))
        if first is None and not found <= allowed:
            first = step
        print(f"{step:4}  {expected:.15f}    {usual:.1e}    {found:.1e}    {allowed:.1e}")
    verdict = f"they agree: at most {largest:.1e} apart" if first is None else f"THEY DIFFER from step {first} on, by up to {largest:.1e}"
    print(f"{len(run)} steps of {os.path.basename(sys.argv[3])} and {os.path.basename(sys.argv[1])}: {verdict}")
    sys.exit(0 if first is None else 1)


if __name__ == "__main__":
    main()
