#!/bin/sh
# Prints what QEMU is to run a CPU's instructions with: "kvm" if a machine really comes up with it, else "tcg", which
# translates them. /dev/kvm alone says little: it may be there and a machine that uses it still hang.
#
#   tests/machine/accelerator.sh CPU KERNEL INITRAMFS CONSOLE QEMU [ARGUMENT]...

if [ $# -lt 5 ]; then
  echo "usage: $0 CPU KERNEL INITRAMFS CONSOLE QEMU [ARGUMENT]..." >&2
  exit 2
fi
cpu=$1 kernel=$2 initramfs=$3 console=$4
shift 4
accelerator=tcg
if [ "$cpu" = "$(uname -m)" ] && [ -r /dev/kvm ] && [ -w /dev/kvm ] &&
  timeout -k 1 5 "${0%/*}/boot.sh" "$kernel" "$initramfs" "$console" kvm 1 --help "$@" </dev/null >/dev/null 2>&1; then
  accelerator=kvm
fi
echo $accelerator
