#!/usr/bin/env python3
"""Compares the losses of the same training steps on two backends, by the steps.jsonl that `dom train --log-steps` writes.

usage: agreement.py REFERENCE_RUN YARDSTICK_RUN RUN
       agreement.py --bf16 F32_RUN BF16_RUN

All are folders of the same run. The yardstick differs from the reference only in how its sums are rounded (--conv direct against winograd); training makes such
differences grow from step to step, on any device, and in jumps, where a unit of a ReLU changes its side. RUN agrees where its relative difference to the reference is
in no step more than ten times the largest of the yardstick until one step later, or is below 1e-5. The exit code says whether it does; whether it also stays within
1e-3, as was set as the bar, stands in the last line.

Between two precisions there is no such yardstick: a loss is the mean over a batch of what rounding to bf16 did in every layer. With --bf16 the first loss, before any
update, must be within one rounding (2^-8), and the others within 2 %. PyTorch's autocast came to 4e-4 and 1.2 % in twenty such steps of PreActResNet-18 with batches
of 16, and the mean over 128 varies less.
"""
import json
import os
import sys

FACTOR, ALWAYS_ALLOWED, BAR = 10, 1e-5, 1e-3
FIRST_IN_BF16, LATER_IN_BF16 = 2 ** -8, 0.02


def losses(run):
    with open(os.path.join(run, "steps.jsonl")) as file:
        return [json.loads(line)["loss"] for line in file]


def relative(values, reference):
    return [abs(value - expected) / abs(expected) for value, expected in zip(values, reference)]


def main():
    in_bf16 = sys.argv[1:2] == ["--bf16"]
    folders = sys.argv[1 + in_bf16:]
    if len(folders) != 3 - in_bf16:
        sys.exit(__doc__)
    runs = [losses(folder) for folder in folders]
    if not len(runs[0]) > 0 or any(len(run) != len(runs[0]) for run in runs):
        sys.exit(f"the runs have {', '.join(str(len(run)) for run in runs)} steps; they must have the same number")
    reference, differences = runs[0], relative(runs[-1], runs[0])
    if in_bf16:
        usual, allowed = None, [FIRST_IN_BF16] + [LATER_IN_BF16] * (len(reference) - 1)
    else:
        usual = relative(runs[1], reference)
        allowed = [max(ALWAYS_ALLOWED, FACTOR * max(usual[:step + 2])) for step in range(len(reference))]
    print(f"step  reference            difference {'' if in_bf16 else 'of the yardstick, '}of the run (relative), allowed")
    for step, expected in enumerate(reference):
        print(f"{step + 1:4}  {expected:.15f}    {'' if in_bf16 else f'{usual[step]:.1e}    '}{differences[step]:.1e}    {allowed[step]:.1e}")
    first = next((step for step, found in enumerate(differences, 1) if not found <= allowed[step - 1]), None)
    verdict = f"they agree: at most {max(differences):.1e} apart" if first is None else f"THEY DIFFER from step {first} on, by up to {max(differences):.1e}"
    print(f"{len(reference)} steps of {os.path.basename(folders[-1])} and {os.path.basename(folders[0])}: {verdict}" + ("" if in_bf16 else f"; {'within' if max(differences) <= BAR else 'NOT within'} {BAR:g}"))
    sys.exit(0 if first is None else 1)


if __name__ == "__main__":
    main()
