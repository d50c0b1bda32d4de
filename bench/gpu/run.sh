#!/usr/bin/env bash
# Checks and measures the CUDA backend on a machine with a GPU, in under ten minutes; README.md beside this file says how to read what it leaves.
#
# usage: bench/gpu/run.sh PUBLISH_DIR DATA_ARCHIVE OUT_DIR [part ...]
#
# PUBLISH_DIR   where `dom` lies: dotnet publish -c Release -r linux-x64 --self-contained src/Dom.Cli -o PUBLISH_DIR
# DATA_ARCHIVE  pictures of CIFAR-10, see cifar10_from_archive.py; or '-' for a part that needs none
# OUT_DIR       gets run.log, check.log, sanitize.log, calls.log, calls.jsonl, step.json, step.md, train.log
# part          check, sanitize, calls, step, train; all of them, in this order, where none is named
#
# From the environment: DEVICE (cuda:0), TOTAL (seconds for everything, 570), STEP (seconds after which the part step begins nothing new, 190), COMPILE (seconds for each
# torch.compile in it, 60; 0 for none), EPOCHS (30) of the part train, and QUICK=1, which takes tiny sizes: DEVICE=cpu QUICK=1 rehearses where there is no GPU.
set -uo pipefail

if [ $# -lt 3 ]; then
    sed -n '2,14s/^# \{0,1\}//p' "$0"
    exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
dom=$(cd "$1" && pwd)/dom
archive=$2
mkdir -p "$3"
out=$(cd "$3" && pwd)
shift 3
parts=${*:-check sanitize calls step train}
device=${DEVICE:-cuda:0} total=${TOTAL:-570} epochs=${EPOCHS:-30} compile=${COMPILE:-60} quick=${QUICK:-}
model=preact-resnet18 batches=128,512 precisions="bf16 f32" limit=2560
if [ -n "$quick" ]; then
    batches=4 limit=160 epochs=1
    [ "$device" = cpu ] && precisions=f32
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

say() { printf '%s\n' "$*" | tee -a "$out/run.log"; }

# Seconds left of the whole, at least 1 and at most the given number.
within() {
    local left=$((total - SECONDS))
    [ "$left" -lt 1 ] && left=1
    echo $(($1 < left ? $1 : left))
}

# Runs a command with a limit in seconds; interrupted first, so that a training run can save, and killed ten seconds later.
limited() {
    local seconds
    seconds=$(within "$1")
    shift
    timeout --signal=INT --kill-after=10 "$seconds" "$@"
}

# Says that a step of a part failed, and why, and goes on.
failed() {
    failures=$((failures + 1))
    case $2 in
        124 | 137) say "  FAILED: $1: stopped, its time was up" ;;
        *) say "  FAILED: $1: exit code $2" ;;
    esac
}

# The archive is converted while other parts run; who needs the data waits.
start_data() {
    [ "$archive" = - ] && return
    python3 "$here/cifar10_from_archive.py" "$archive" "$work/data" >"$work/data.log" 2>&1 &
    converting=$!
}

# Options that name the training data: CIFAR-10, or the embedded set where there is no archive.
converting=''
data=''
wait_for_data() {
    [ -n "$data" ] && return
    data='--data embedded --label-noise 0'
    if [ -n "$converting" ]; then
        if wait "$converting"; then
            data="--data cifar10 --data-dir $work/data"
        else
            failed "converting $archive" $?
            tail -n 2 "$work/data.log" | tee -a "$out/run.log"
        fi
    fi
}

# Twenty steps in f32 on a device: name, device and convolution method.
twenty_steps() {
    # shellcheck disable=SC2086
    limited 60 "$dom" train $data --model $model --batch $((limit / 20)) --limit-train $limit --limit-test 128 --epochs 1 --lr 0.002 --schedule constant --seed 1 \
        --log-steps --device "$2" --conv "$3" --out "$work/$1" >>"$out/check.log" 2>&1 || failed "twenty steps, $1" $?
}

part_check() {
    limited 120 "$dom" check --device "$device" ${quick:+--filter relu} >"$out/check.log" 2>&1 || failed 'conformance' $?
    grep -E '^FAILED|FAILED:' "$out/check.log" | head -n 20 | cut -c 1-200 | tee -a "$out/run.log"
    tail -n 12 "$out/check.log" | cut -c 1-160 | tee -a "$out/run.log"
    wait_for_data
    twenty_steps cpu-direct cpu direct
    twenty_steps cpu-winograd cpu winograd
    twenty_steps device "$device" auto
    python3 "$here/agreement.py" "$work/cpu-direct" "$work/cpu-winograd" "$work/device" >"$work/agreement.log" 2>&1 || failed 'agreement with the CPU' $?
    cat "$work/agreement.log" >>"$out/check.log"
    tail -n 1 "$work/agreement.log" | tee -a "$out/run.log"
}

part_sanitize() {
    : >"$out/sanitize.log"
    if ! command -v compute-sanitizer >/dev/null; then
        say '  skipped: there is no compute-sanitizer'
        return
    fi
    local tool type jobs=()
    # All at once: nothing is timed, and each spends most of its time in the reference on one core.
    for tool in memcheck racecheck; do
        for type in f32 bf16; do
            limited 100 compute-sanitizer --tool $tool --print-limit 20 --error-exitcode 99 "$dom" check --device "$device" --filter $type \
                >"$work/$tool-$type.log" 2>&1 &
            jobs+=("$!:$tool-$type")
        done
    done
    local job code
    for job in "${jobs[@]}"; do
        wait "${job%%:*}"
        code=$?
        tool=${job#*:}
        { echo "== $tool"; cat "$work/$tool.log"; } >>"$out/sanitize.log"
        [ $code -eq 0 ] || failed "$tool" $code
        say "  $tool: $(grep -E '(ERROR|RACECHECK) SUMMARY' "$work/$tool.log" || echo "no summary; $(grep -c '^========= \(Invalid\|Error\|Race\)' "$work/$tool.log") errors so far, last line: $(tail -n 1 "$work/$tool.log" | cut -c 1-100)")"
    done
}

# The rate of PyTorch's matrix product in a precision, in TFLOP/s, as options of dom bench; nothing where there is no PyTorch.
peak_options() {
    python3 - "$1" "$work/ceilings.json" <<'END' 2>>"$out/run.log"
import json, sys
with open(sys.argv[2]) as file:
    print("--peak", round(json.loads(file.read().splitlines()[-1])[f"matmul_{sys.argv[1]}_flops"] / 1e12, 3))
END
}

part_calls() {
    local precision peak
    : >"$out/calls.log"
    : >"$out/calls.jsonl"
    echo ceilings | limited 60 python3 "$here/peer.py" --serve --device "${device%%:*}" ${quick:+--quick} >"$work/ceilings.json" 2>>"$out/run.log" \
        || failed "the peer's ceilings" $?
    for precision in $precisions; do
        peak=$(peak_options "$precision")
        # shellcheck disable=SC2086
        limited 60 "$dom" bench --device "$device" --model $model --precision "$precision" --work train,infer --batch $batches --seconds 0.5 --calls $peak --json \
            >>"$out/calls.jsonl" 2>"$work/calls.txt" || failed "kernel calls in $precision" $?
        cat "$work/calls.txt" >>"$out/calls.log"
        head -n 26 "$work/calls.txt" | cut -c 1-190 | tee -a "$out/run.log"
    done
}

part_step() {
    local budget
    budget=$(within "${STEP:-190}")
    limited $((budget + 40)) python3 "$here/steps.py" --dom "$dom" --out "$out" --device "$device" --precision "${precisions// /,}" \
        --budget "$budget" --compile "$compile" ${quick:+--quick} 2>>"$out/run.log" | tee -a "$out/run.log"
    local code=${PIPESTATUS[0]}
    [ "$code" -eq 0 ] || failed 'steps beside the peer' "$code"
    [ -f "$out/step.md" ] && tee -a "$out/run.log" <"$out/step.md"
}

part_train() {
    wait_for_data
    local precision=${precisions%% *} run file
    : >"$out/train.log"
    for run in first second; do
        # shellcheck disable=SC2086
        limited 60 "$dom" train $data --model $model --precision "$precision" --device "$device" --epochs 1 --batch 128 --lr 0.1 --seed 3 ${quick:+--limit-train 128 --limit-test 100} \
            --log-steps --out "$work/$run" >>"$out/train.log" 2>&1 || failed "one epoch, the $run time" $?
    done
    for file in checkpoints/last.safetensors ledger/natural_loss.npy steps.jsonl; do
        if cmp "$work/first/$file" "$work/second/$file" >>"$out/train.log" 2>&1; then
            say "  the same bytes from the same seed: $file"
        else
            failed "two runs with the same seed: $file differs" 1
        fi
    done
    # shellcheck disable=SC2086
    limited 200 "$dom" train $data --model $model --precision "$precision" --device "$device" --epochs "$epochs" --batch 128 --lr 0.2 --schedule triangular --seed 1 \
        ${quick:+--limit-train 128 --limit-test 100} --out "$work/long" >>"$out/train.log" 2>&1 || failed "training for $epochs epochs" $?
    grep -E '^epoch' "$out/train.log" | tail -n 3 | cut -c 1-160 | tee -a "$out/run.log"
    tail -n 8 "$out/train.log" | cut -c 1-160 | tee -a "$out/run.log"
}

: >"$out/run.log"
say "$("$dom" --version 2>&1 | head -n 1) on $device; $(nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2>/dev/null || echo 'no nvidia-smi'); $(nproc) cores"
case " $parts " in *' check '* | *' train '*) start_data ;; esac
for part in $parts; do
    case $part in
        check | sanitize | calls | step | train) ;;
        *)
            failed "'$part' is not one of check, sanitize, calls, step, train" 2
            continue
            ;;
    esac
    if [ $SECONDS -ge "$total" ]; then
        failed "$part" 124
        continue
    fi
    # What still converts pictures would share the processor with what is timed.
    case $part in calls | step) [ -n "$converting" ] && wait_for_data ;; esac
    begin=$SECONDS
    say "== $part"
    "part_$part"
    say "== $part took $((SECONDS - begin)) s"
done
say "$failures failures; $SECONDS s; everything is in $out"
[ "$failures" -eq 0 ]
