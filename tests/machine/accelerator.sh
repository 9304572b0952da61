#!/bin/sh
# Prints what QEMU is to run a CPU's instructions with: "kvm" if a machine really comes up with it, else "tcg", which
# translates them. /dev/kvm alone says little: it may be there and a machine that uses it still hang.
#
#   tests/machine/accelerator.sh CPU KERNEL CONSOLE QEMU INITRAMFS          as those of boot.sh

if [ $# != 5 ]; then
  echo "usage: $0 CPU KERNEL CONSOLE QEMU INITRAMFS" >&2
  exit 2
fi
accelerator=tcg
if [ "$1" = "$(uname -m)" ] && [ -r /dev/kvm ] && [ -w /dev/kvm ] &&
  timeout -k 1 5 "${0%/*}/boot.sh" "$2" "$3" kvm "$4" "$5" 1 --help </dev/null >/dev/null 2>&1; then
  accelerator=kvm
fi
echo $accelerator
