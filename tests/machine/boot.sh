#!/bin/sh
# Starts a virtual machine whose /init is apps/init, the serial console on the terminal (Ctrl-A X ends it at once), and
# ends with the exit code that init tells on its last line. QEMU's own status says nothing: it is 0 after a panic too.
#
#   tests/machine/boot.sh KERNEL INITRAMFS CONSOLE ACCELERATOR CPUS WORDS QEMU [ARGUMENT]...
#
# CONSOLE is the kernel's name of the serial line; WORDS are init's arguments; QEMU's own follow.

if [ $# -lt 7 ]; then
  echo "usage: $0 KERNEL INITRAMFS CONSOLE ACCELERATOR CPUS WORDS QEMU [ARGUMENT]..." >&2
  exit 2
fi
kernel=$1 initramfs=$2 console=$3 accelerator=$4 cpus=$5 words=$6
shift 6
# The CPU that the machine is said to have cannot be had from every host.
[ "$accelerator" = kvm ] && set -- "$@" -cpu host

log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
# panic=-1: restart at once after a panic; -no-reboot: which is the end.
"$@" -accel "$accelerator" -smp "$cpus" -nodefaults -no-user-config -no-reboot -display none \
  -chardev "stdio,id=console,mux=on,signal=off,logfile=$log" -serial chardev:console -mon chardev=console \
  -kernel "$kernel" -initrd "$initramfs" -append "console=$console panic=-1 quiet -- $words"
status=$?
code=$(tr -d '\r' <"$log" | sed -n 's/^init: exit code \([0-9]*\)$/\1/p' | tail -n 1)
if [ -z "$code" ]; then
  echo "the machine ended (status $status of QEMU) before its init did" >&2
  exit 1
fi
exit "$code"
