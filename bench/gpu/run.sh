#!/usr/bin/env bash
# Checks and measures the CUDA backend on a machine with a GPU, in under ten minutes; README.md beside this file says how to read what it leaves.
#
# usage: bench/gpu/run.sh PUBLISH_DIR DATA OUT_DIR [part ...]
#
# PUBLISH_DIR   where `dom` lies: dotnet publish -c Release -r linux-x64 --self-contained src/Dom.Cli -o PUBLISH_DIR
# DATA          CIFAR-10: an archive of its pictures, see cifar10_from_archive.py, or a folder that holds cifar-10-batches-bin; or '-' for a part that needs none
# OUT_DIR       gets run.log, check.log, sanitize.log, calls.log, calls.jsonl, train.log, train.json, step.json, step.md
# part          check, sanitize, calls, train, step; all of them, in this order, where none is named
#
# From the environment: DEVICE (cuda:0), TOTAL (seconds for everything, 570), EPOCHS (30) of the part train, TRAIN (seconds for that part, 80 and 5 an epoch), STEP (seconds
# after which the part step begins nothing new, 190 and never so many that TOTAL would cut it), COMPILE (seconds for each torch.compile in it, 60; 0 for none), and QUICK=1,
# which takes tiny sizes: DEVICE=cpu QUICK=1 rehearses where there is no GPU.
set -uo pipefail

if [ $# -lt 3 ]; then
    sed -n '2,15s/^# \{0,1\}//p' "$0"
    exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
dom=$(cd "$1" && pwd)/dom
archive=$2
mkdir -p "$3"
out=$(cd "$3" && pwd)
shift 3
parts=${*:-check sanitize calls train step}
device=${DEVICE:-cuda:0} total=${TOTAL:-570} epochs=${EPOCHS:-30} compile=${COMPILE:-60} quick=${QUICK:-}
model=preact-resnet18 batches=128,512 precisions="bf16 f32" limit=2560
if [ -n "$quick" ]; then
    batches=4 limit=160 epochs=1 TRAIN=${TRAIN:-$total}
    [ "$device" = cpu ] && precisions=f32
fi
train=${TRAIN:-$((80 + 5 * epochs))} part_end=$total
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

say() { printf '%s\n' "$*" | tee -a "$out/run.log"; }

# Seconds left of the whole and of the part, at least 1 and at most the given number.
within() {
    local left=$(((part_end < total ? part_end : total) - SECONDS))
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
    if [ -d "$archive" ]; then
        use_data "$archive"
        return
    fi
    python3 "$here/cifar10_from_archive.py" "$archive" "$work/data" >"$work/data.log" 2>&1 &
    converting=$!
}

# Options that name the training data: CIFAR-10 and the folder of its files, or the embedded set where there is no archive.
converting=''
data=()
folder=''
use_data() {
    folder=$1
    data=(--data cifar10 --data-dir "$folder")
}

wait_for_data() {
    [ ${#data[@]} -gt 0 ] && return
    data=(--data embedded --label-noise 0)
    if [ -n "$converting" ]; then
        if wait "$converting"; then
            use_data "$work/data"
        else
            failed "converting $archive" $?
            tail -n 2 "$work/data.log" | tee -a "$out/run.log"
        fi
    fi
}

# Twenty steps on a device, into the log of a part: name, device, convolution method, precision, log, more options.
twenty_steps() {
    limited 60 "$dom" train "${data[@]}" --model $model --batch $((limit / 20)) --limit-train $limit --limit-test 128 --epochs 1 --lr 0.002 --schedule constant --seed 1 \
        --log-steps --device "$2" --conv "$3" --precision "$4" --out "$work/$1" "${@:6}" >>"$out/$5" 2>&1 || failed "twenty steps, $1" $?
}

# Compares what two runs left, byte for byte: their names, what they have in common, what is wrong where they differ, log.
same_bytes() {
    local file
    for file in checkpoints/last.safetensors ledger/natural_loss.npy steps.jsonl; do
        if cmp "$work/$1/$file" "$work/$2/$file" >>"$out/$5" 2>&1; then
            say "  the same bytes $3: $file"
        else
            failed "$4: $file differs" 1
        fi
    done
}

# The conformance suite, or what is named of it, under settings from the environment: name, filter, settings.
conformance() {
    local name=$1 filter=${quick:+relu}
    filter=${filter:-$2}
    shift 2
    limited 150 env "$@" "$dom" check --device "$device" ${filter:+--filter "$filter"} >"$work/conformance-$name.log" 2>&1
}

part_check() {
    local jobs=() job name code
    : >"$out/check.log"
    # Nothing is timed, and each spends most of its time in the reference on one core.
    conformance own '' DOM_CUDA_TRIAL= &
    jobs+=("$!:own")
    # Also what devices before Hopper run, the tiles of large products (the suite's are small), and the kernels on trial; see kernels/README.md.
    if [ "${device%%:*}" = cuda ]; then
        conformance sm_80 '' DOM_CUDA_ARCH=80 &
        jobs+=("$!:sm_80")
        conformance large '' DOM_CUDA_TILES=large &
        jobs+=("$!:large")
        conformance large_sm_80 '' DOM_CUDA_TILES=large DOM_CUDA_ARCH=80 &
        jobs+=("$!:large_sm_80")
        conformance trial Conv2d DOM_CUDA_TRIAL=1 &
        jobs+=("$!:trial")
        conformance large_trial Conv2d DOM_CUDA_TILES=large DOM_CUDA_TRIAL=1 &
        jobs+=("$!:large_trial")
    fi
    wait_for_data
    twenty_steps cpu-direct cpu direct f32 check.log
    twenty_steps cpu-winograd cpu winograd f32 check.log
    # A step as one CUDA graph; PGD too, for it has arguments that change from step to step. The CPU knows no graphs and only rehearses this.
    DOM_CUDA_GRAPH=1 twenty_steps device-graph "$device" auto f32 check.log
    DOM_CUDA_GRAPH=1 twenty_steps attacked-graph "$device" auto "${precisions%% *}" check.log --attack pgd --steps 2 --eval-steps 1
    twenty_steps attacked "$device" auto "${precisions%% *}" check.log --attack pgd --steps 2 --eval-steps 1
    for job in "${jobs[@]}"; do
        wait "${job%%:*}"
        code=$?
        name=${job#*:}
        { echo "== conformance, $name kernels"; cat "$work/conformance-$name.log"; } >>"$out/check.log"
        [ $code -eq 0 ] || failed "conformance, $name kernels" $code
        grep -iE '^failed' "$work/conformance-$name.log" | head -n 20 | cut -c 1-200 | tee -a "$out/run.log"
        say "  conformance, $name kernels: $(grep -E '^[0-9]+ passed' "$work/conformance-$name.log" || tail -n 1 "$work/conformance-$name.log" | cut -c 1-160)"
    done
    twenty_steps device "$device" auto f32 check.log
    same_bytes device device-graph 'with CUDA graphs and without' 'twenty steps with DOM_CUDA_GRAPH=1 and without' check.log
    same_bytes attacked attacked-graph 'with CUDA graphs and without, PGD' 'twenty steps of PGD with DOM_CUDA_GRAPH=1 and without' check.log
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
    [ -s "$work/ceilings.json" ] || return 0
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
    if [ "${device%%:*}" = cuda ]; then
        say '  with the kernels on trial (DOM_CUDA_TRIAL=1, kernels/README.md):'
        # shellcheck disable=SC2046
        DOM_CUDA_TRIAL=1 limited 40 "$dom" bench --device "$device" --model $model --precision bf16 --work train --batch $batches --seconds 0.5 --calls $(peak_options bf16) --json \
            >>"$out/calls.jsonl" 2>"$work/calls.txt" || failed "kernel calls on trial" $?
        cat "$work/calls.txt" >>"$out/calls.log"
        head -n 26 "$work/calls.txt" | cut -c 1-190 | tee -a "$out/run.log"
    fi
}

part_step() {
    local budget longest=${STEP:-190}
    # What is under way when the budget ends takes some more.
    budget=$((total - SECONDS - 45))
    budget=$((budget < 1 ? 1 : budget < longest ? budget : longest))
    limited $((budget + 45)) python3 "$here/steps.py" --dom "$dom" --out "$out" --device "$device" --precision "${precisions// /,}" \
        --budget "$budget" --compile "$compile" ${quick:+--quick} 2>>"$out/run.log" | tee -a "$out/run.log"
    local code=${PIPESTATUS[0]}
    [ "$code" -eq 0 ] || failed 'steps beside the peer' "$code"
    [ -f "$out/step.md" ] && tee -a "$out/run.log" <"$out/step.md"
}

part_train() {
    wait_for_data
    local precision=${precisions%% *} run
    : >"$out/train.log"
    for run in first second; do
        limited 60 "$dom" train "${data[@]}" --model $model --precision "$precision" --device "$device" --epochs 1 --batch 128 --lr 0.1 --seed 3 ${quick:+--limit-train 128 --limit-test 100} \
            --log-steps --out "$work/$run" >>"$out/train.log" 2>&1 || failed "one epoch, the $run time" $?
    done
    same_bytes first second 'from the same seed' 'two runs with the same seed' train.log
    beside_f32
    limited $((30 + 4 * epochs)) "$dom" train "${data[@]}" --model $model --precision "$precision" --device "$device" --epochs "$epochs" --batch 128 --lr 0.1 --schedule cosine --seed 1 \
        ${quick:+--limit-train 128 --limit-test 100} --out "$work/long" >>"$out/train.log" 2>&1 || failed "training for $epochs epochs" $?
    grep -E '^epoch' "$out/train.log" | tail -n 3 | cut -c 1-160 | tee -a "$out/run.log"
    tail -n 8 "$out/train.log" | cut -c 1-160 | tee -a "$out/run.log"
    train_peer "$precision"
}

# The losses of the first twenty steps in both precisions.
beside_f32() {
    case " $precisions " in
        *' bf16 '*) ;;
        *)
            say "  skipped: bf16 beside f32, for $device computes in $precisions"
            return
            ;;
    esac
    twenty_steps in-f32 "$device" auto f32 train.log
    twenty_steps in-bf16 "$device" auto bf16 train.log
    python3 "$here/agreement.py" --bf16 "$work/in-f32" "$work/in-bf16" >"$work/precisions.log" 2>&1 || failed 'bf16 beside f32' $?
    cat "$work/precisions.log" >>"$out/train.log"
    tail -n 1 "$work/precisions.log" | tee -a "$out/run.log"
}

# PyTorch on the same files, with the same recipe and precision, and the table of both.
train_peer() {
    if [ -z "$folder" ]; then
        say '  skipped: training by PyTorch, which needs the files of CIFAR-10'
        return
    fi
    limited $((50 + 4 * epochs)) python3 "$here/train_peer.py" "$folder" --precision "$1" --device "${device%%:*}" --epochs "$epochs" --seed 1 --beside "$work/long" \
        ${quick:+--limit-train 128 --limit-test 100} >"$work/peer.log" 2>>"$out/run.log" || failed "PyTorch's training for $epochs epochs" $?
    grep -v '^{' "$work/peer.log" >>"$out/train.log"
    grep '^{' "$work/peer.log" >"$out/train.json"
    grep -E '^(\||dom is)' "$work/peer.log" | tee -a "$out/run.log"
}

: >"$out/run.log"
say "$("$dom" --version 2>&1 | head -n 1) on $device; $(nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2>/dev/null || echo 'no nvidia-smi'); $(nproc) cores"
case " $parts " in *' check '* | *' train '*) start_data ;; esac
for part in $parts; do
    case $part in
        check | sanitize | calls | train | step) ;;
        *)
            failed "'$part' is not one of check, sanitize, calls, train, step" 2
            continue
            ;;
    esac
    if [ $SECONDS -ge "$total" ]; then
        failed "$part" 124
        continue
    fi
    part_end=$total
    [ "$part" = train ] && part_end=$((SECONDS + train))
    # What still converts pictures would share the processor with what is timed.
    case $part in calls | step) [ -n "$converting" ] && wait_for_data ;; esac
    begin=$SECONDS
    say "== $part"
    "part_$part"
    say "== $part took $((SECONDS - begin)) s"
done
say "$failures failures; $SECONDS s; everything is in $out"
[ "$failures" -eq 0 ]
