#!/usr/bin/env python3
"""Steps of PreActResNet-18, ours and PyTorch's in turns: a round of each after the other, so that both see the same machine.

usage: steps.py --dom PATH --out FOLDER [--device cuda:0] [--work train,pgd,infer] [--batch 128,512] [--rounds 3] [--seconds 0.3] [--budget 200] [--compile 60]

Writes FOLDER/step.json (everything) and FOLDER/step.md (a table for people) anew after each work, so that nothing is lost where time runs out. The peer is one process
that stays: what it tunes is paid for once. `dom bench` starts anew for each round; each sits idle while the other is measured. On a GPU, training steps are also done
with DOM_CUDA_GRAPH=1, in the first of our precisions: each as one CUDA graph. Compiling takes minutes, so all other
variants come first; then the compiled ones take turns with ours again, for as many works as the budget allows.
"""
import argparse
import json
import os
import select
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
NAMES = {"train": "training step", "infer": "inference", "pgd": "PGD-10 training step"}
OURS = "ours "
GRAPH = " graph"
# A round of a peer that takes longer hangs.
LONGEST_ANSWER = 120


class Peer:
    """peer.py --serve. Once it fails it is gone, and what it would have said is missing from the table."""

    def __init__(self, options):
        device = "cuda" if options.device.startswith("cuda") else options.device
        command = [sys.executable, os.path.join(HERE, "peer.py"), "--serve", "--device", device, "--seconds", str(options.seconds)]
        if options.quick:
            command += ["--quick", "--variants", "f32,bf16"]
        self.problem = None
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.rest = b""
        self.version = self.read(LONGEST_ANSWER)

    def ask(self, line, seconds=LONGEST_ANSWER):
        if self.problem:
            return None
        try:
            self.process.stdin.write((line + "\n").encode())
        except OSError as error:
            self.problem = f"the peer ended: {error}"
            return None
        return self.read(seconds)

    def read(self, seconds):
        end = time.monotonic() + seconds
        while b"\n" not in self.rest:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            part = os.read(self.process.stdout.fileno(), 1 << 16) if ready else b""
            if not part:
                self.problem = "the peer ended; its message is in the log" if ready else f"the peer did not answer in {seconds:.0f} s"
                self.process.kill()
                return None
            self.rest += part
        line, self.rest = self.rest.split(b"\n", 1)
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()


def our_variants(options, work):
    """Names behind OURS. Inference is not handed over as a graph."""
    return options.precision + ([options.precision[0] + GRAPH] if options.device.startswith("cuda") and work != "infer" else [])


def ours(options, work, batch, variant):
    """A round of `dom bench`: its figures of the step, or why there are none."""
    precision = variant.split()[0]
    environment = {**os.environ, "DOM_CUDA_GRAPH": "1" if variant.endswith(GRAPH) else ""}
    command = [options.dom, "bench", "--device", options.device, "--model", "preact-resnet18", "--precision", precision, "--work", work, "--batch", str(batch), "--json"]
    command += ["--rounds", "2"] if options.quick else ["--seconds", str(options.seconds)]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=LONGEST_ANSWER, env=environment)
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, str(error)
    if done.returncode:
        return None, next((line for line in reversed(done.stderr.splitlines()) if line.strip()), f"exit code {done.returncode}")
    try:
        return json.loads(done.stdout)["steps"][0], None
    except (ValueError, LookupError):
        return None, f"dom bench printed {done.stdout[:100]!r} instead of its figures"


def measured(options, peer, result, request):
    """Rounds in turns, added to what is known of the variants: "rounds" [(median, fastest, slowest, n), ...] and "memory", or "error"."""
    work, batch, variants = result["work"], result["batch"], result["variants"]
    for said in peer.ask(request, 6 * LONGEST_ANSWER) or []:
        variants[said["variant"]] = {"error": said["error"]} if "error" in said else {"rounds": [], "memory": said["peak_memory_bytes"], "ready_s": said["ready_s"]}
    for _ in range(options.rounds):
        for variant in our_variants(options, work):
            entry = variants.setdefault(OURS + variant, {"rounds": []})
            if "error" in entry or (variant.endswith(GRAPH) and request.startswith("compile")):
                continue
            step, problem = ours(options, work, batch, variant)
            if problem:
                variants[OURS + variant] = {"error": problem}
                continue
            entry["rounds"].append((step["milliseconds"], step["fastestMilliseconds"], step["slowestMilliseconds"], step["rounds"]))
            entry["memory"] = step["peakMemoryBytes"]
        for name, samples in (peer.ask("round") or {}).items():
            variants[name]["rounds"].append((statistics.median(samples), min(samples), max(samples), len(samples)))
    for entry in variants.values():
        if entry.get("rounds"):
            medians, fastest, slowest, counts = zip(*entry["rounds"])
            entry.update(ms=statistics.median(medians), fastest_ms=min(fastest), slowest_ms=max(slowest), n=sum(counts))
            entry["images_per_s"] = 1e3 * batch / entry["ms"]
    for variant in our_variants(options, work):
        mine, best = variants.get(OURS + variant, {}).get("ms"), best_peer(variants, variant.split()[0])
        if mine and best:
            result["ratios"][variant] = {"best_peer": best, "faster_by": variants[best]["ms"] / mine}


def best_peer(variants, precision):
    """The fastest variant of the same precision. TF32 has a line of its own: its products are not those of f32."""
    fitting = {name: entry["ms"] for name, entry in variants.items() if name.split()[0] == precision and "ms" in entry}
    return min(fitting, key=fitting.get) if fitting else None


def table(report):
    lines = ["# Steps of PreActResNet-18, ours and PyTorch's in turns", "", f"{json.dumps(report['peer'])}; {report['rounds']} rounds, medians of their medians, fastest and slowest step.",
             "Faster by: the time of the best variant of PyTorch of the same precision over ours.", ""]
    if report.get("ceilings"):
        c = report["ceilings"]
        lines += [f"Ceilings by PyTorch: copy {c['copy_bytes_per_s'] / 1e9:.0f} GB/s, matrix products in bf16 {c['matmul_bf16_flops'] / 1e12:.0f}, "
                  f"tf32 {c['matmul_tf32_flops'] / 1e12:.0f}, f32 {c['matmul_f32_flops'] / 1e12:.1f} TFLOP/s.", ""]
    lines += ["| work | batch | variant | ms | images/s | peak memory | ours is faster by |", "|---|---|---|---|---|---|---|"]
    for result in report["results"]:
        order = sorted(result["variants"].items(), key=lambda item: (not item[0].startswith(OURS), item[1].get("ms", 1e9)))
        for name, entry in order:
            start = f"| {NAMES[result['work']]} | {result['batch']} | {name} |"
            if "ms" not in entry:
                lines.append(f"{start} {entry.get('error', 'not measured').replace('|', '/')} | | | |")
                continue
            ratio = result["ratios"].get(name[len(OURS):]) if name.startswith(OURS) else None
            said = f"{ratio['faster_by']:.2f} than {ratio['best_peer']}" if ratio else ""
            lines.append(f"{start} {entry['ms']:.3f} ({entry['fastest_ms']:.3f}-{entry['slowest_ms']:.3f}), n = {entry['n']} | {entry['images_per_s']:.0f} "
                         f"| {entry.get('memory', 0) / 2 ** 20:.0f} MiB | {said} |")
    lines += [""] + [f"Not measured, time was up: {what}." for what in report["left_out"]]
    return "\n".join(lines).rstrip() + "\n"


def write(report, folder):
    for name, text in (("step.json", json.dumps(report, indent=1) + "\n"), ("step.md", table(report))):
        path = os.path.join(folder, name)
        with open(path + ".tmp", "w") as file:
            file.write(text)
        os.replace(path + ".tmp", path)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = lambda text: text.split(",")
    parser.add_argument("--dom", required=True, help="the program")
    parser.add_argument("--out", required=True, help="a folder")
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--precision", type=names, default=["bf16", "f32"], help="ours")
    parser.add_argument("--work", type=names, default=["train", "pgd", "infer"])
    parser.add_argument("--batch", type=names, default=["128", "512"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.3, help="steps of a variant in a round")
    parser.add_argument("--budget", type=float, default=200, help="seconds after which no further work is begun")
    parser.add_argument("--compile", type=float, default=60, help="seconds that torch.compile may take for each of its variants; 0 for none")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: does it run at all?")
    options = parser.parse_args()
    if options.quick:
        options.batch, options.rounds = ["4"], 1
    return options


def main():
    options = arguments()
    os.makedirs(options.out, exist_ok=True)
    begin = time.monotonic()
    peer = Peer(options)
    report = {"device": options.device, "peer": peer.version or peer.problem, "rounds": options.rounds, "ceilings": peer.ask("ceilings"), "results": [], "left_out": []}
    report["results"] = [{"work": work, "batch": int(batch), "variants": {}, "ratios": {}} for batch in options.batch for work in options.work]
    for verb in ("prepare", "compile") if options.compile else ("prepare",):
        for result in report["results"]:
            name = f"{NAMES[result['work']]}, batch {result['batch']}"
            if time.monotonic() - begin > options.budget:
                report["left_out"].append(name + (" (compiled)" if verb == "compile" else ""))
                continue
            measured(options, peer, result, f"{verb} {result['work']} {result['batch']}{f' {options.compile:.0f}' if verb == 'compile' else ''}")
            write(report, options.out)
            ratios = ", ".join(f"{variant} {ratio['faster_by']:.2f} x ({ratio['best_peer']})" for variant, ratio in result["ratios"].items())
            print(f"{name}: {ratios or peer.problem or 'not comparable, see step.md'}", flush=True)
    report["seconds"] = round(time.monotonic() - begin, 1)
    write(report, options.out)
    peer.close()


if __name__ == "__main__":
    main()
