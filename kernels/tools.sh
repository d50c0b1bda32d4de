#!/usr/bin/env bash
# Unpacks ptxas, which assembles PTX and counts registers and spills, into a folder, and installs nothing. Only the tests want it; they look for
# it on the PATH and in the folder that DOM_CUDA_TOOLS names. Needs Debian's apt, no root.
#
#   kernels/tools.sh DIR        afterwards DIR/bin holds ptxas, cuobjdump and nvdisasm; a DIR that has ptxas is left alone
#
# The package nvidia-cuda-toolkit is in Debian's non-free section; its licence allows use and forbids passing it on, so nothing of it is kept here.
# Where it comes from: the mirror that this machine's own apt is set up with, of which a private configuration asks for one other release.
set -euo pipefail
[ $# = 1 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2; }
release=trixie # the first that has CUDA 12, which knows sm_90a
folder=$(realpath -m "$1")
if [ -x "$folder/bin/ptxas" ]; then exit 0; fi
for needed in apt-get dpkg-deb tar; do
  command -v "$needed" >/dev/null || { echo "tools.sh: $needed is not there; this needs Debian's package tools." >&2; exit 1; }
done
[ "$(dpkg --print-architecture)" = amd64 ] || { echo "tools.sh: this machine is $(dpkg --print-architecture); the tools are for amd64." >&2; exit 1; }

# The mirror of the release itself: not the one of its updates or of security fixes.
own=$(. /etc/os-release; echo "${VERSION_CODENAME:-}")
mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Identifier: Packages' |
  awk -v own="$own" '$2 == own && $3 == "main" { print $1; exit }')
[ -n "$mirror" ] || { echo "tools.sh: apt has no mirror for '$own main'; is this Debian?" >&2; exit 1; }

work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/lists/partial "$work"/cache/archives/partial "$work/bin"
touch "$work/status"
keys=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e $keys ] && signed="[signed-by=$keys] " || signed=
echo "deb $signed$mirror $release non-free" > "$work/list"
apt=(apt-get -qq -o Dir::Etc::sourcelist="$work/list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache"
  -o Dir::State::status="$work/status" -o APT::Sandbox::User="$(id -un)")
"${apt[@]}" update
(cd "$work" && "${apt[@]}" download nvidia-cuda-toolkit)
dpkg-deb --fsys-tarfile "$work"/nvidia-cuda-toolkit_*.deb | tar -x -C "$work/bin" --strip-components=3 ./usr/bin/ptxas ./usr/bin/cuobjdump ./usr/bin/nvdisasm
"$work/bin/ptxas" --version | tail -n 2
mkdir -p "$folder"
mv -T "$work/bin" "$folder/bin"
