#!/bin/sh
# step.sh CPU PROGRAM: steps through the program's switches under gdb, a program of another CPU in qemu-user.
set -eu
cpu=$1 program=$2

step() {
  LC_ALL=C "$@" -q -nx -batch -iex 'set debuginfod enabled off' -x tests/study/step.py "$program" 3>&1 >/dev/null
}

if [ "$cpu" = "$(uname -m)" ]; then
  step gdb
  exit
fi

directory=$(mktemp -d)
emulator=
trap '[ -z "$emulator" ] || kill "$emulator" 2>/dev/null || :; rm -rf "$directory"' EXIT
qemu-"$cpu" -g "$directory/gdb" "$program" &
emulator=$!
tries=0
until [ -S "$directory/gdb" ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 100 ] || { echo 'step.sh: qemu does not wait for the debugger' >&2; exit 1; }
  sleep 0.1
done
RT_STUDY_SERVER="$directory/gdb" step gdb-multiarch
