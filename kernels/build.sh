#!/usr/bin/env bash
# Compiles the kernels. Needs clang++-22 and no CUDA toolkit.
#
#   kernels/build.sh ptx [OUT]          every .cu, those of ladder/ too, -> OUT/NAME.sm_80.ptx (default kernels/ptx, which is embedded in
#                                       Dom.Kernels); a .cu whose first line ends in "sm_90a" becomes OUT/NAME.sm_90a.ptx for Hopper only
#   kernels/build.sh emulator OUT.so    all of them for the host's processor, see host/emulator.h; EMULATOR_FLAGS adds flags (-fsanitize=address)
#
# Each PTX file begins with a hash of its source and of the headers, which a test compares with what lies beside it, and the compiler's version.
set -euo pipefail
cd "$(dirname "$0")"
export LC_ALL=C # the order of the headers in the hash
clang=${CLANG:-clang++-22}

version() { "$clang" --version | sed -n '1s/.*version \([0-9.]*\).*/clang \1/p'; }
source_hash() { cat "$1" *.h | sha256sum | cut -d' ' -f1; }

one_ptx() {
  local source=$1 out=$2 name arch=sm_80 version=+ptx78
  name=$(basename "$source" .cu)
  if head -n 1 "$source" | grep -q 'sm_90a$'; then arch=sm_90a version=+ptx80; fi
  local target="$out/$name.$arch.ptx"
  "$clang" -std=c++20 -x cuda --cuda-device-only --cuda-gpu-arch=$arch --cuda-feature=$version -nocudainc -nocudalib \
    -O3 -Wall -Wno-unused-function -S -o "$target.new" "$source"
  # Comments in PTX name the compiler's build; what is left depends on the sources alone.
  { echo "// $(source_hash "$source") $(version)"; grep -v '^//' "$target.new"; } > "$target"
  rm "$target.new"
}

case "${1:-}" in
  ptx)
    out=$(realpath -m "${2:-ptx}"); mkdir -p "$out"
    pids=()
    for source in *.cu ladder/*.cu; do
      one_ptx "$source" "$out" & pids+=($!)
      if [ ${#pids[@]} -ge "$(nproc)" ]; then wait "${pids[0]}"; pids=("${pids[@]:1}"); fi
    done
    for pid in "${pids[@]}"; do wait "$pid"; done ;;
  emulator)
    out=$(realpath -m "${2:?where to write the library}")
    objects=$(mktemp -d); trap 'rm -rf "$objects"' EXIT
    pids=()
    for source in host/emulator.cpp *.cu ladder/*.cu; do
      case $source in *.cu) language=(-x c++);; *) language=();; esac
      "$clang" -std=c++20 "${language[@]}" -DDOM_EMULATE -O2 -g1 -fPIC -Wall -Wno-unused-function -Wno-unknown-pragmas ${EMULATOR_FLAGS:-} \
        -c -o "$objects/$(basename "$source").o" "$source" & pids+=($!)
      if [ ${#pids[@]} -ge "$(nproc)" ]; then wait "${pids[0]}"; pids=("${pids[@]:1}"); fi
    done
    for pid in "${pids[@]}"; do wait "$pid"; done
    "$clang" -shared ${EMULATOR_FLAGS:-} -o "$out" "$objects"/*.o ;;
  *)
    sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
