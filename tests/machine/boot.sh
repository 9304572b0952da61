#!/bin/sh
# Starts a virtual machine whose /init is apps/init, the serial console on the terminal (Ctrl-A X ends it at once), and
# ends with the exit code that init tells on its last line. QEMU's own status says nothing: it is 0 after a panic too.
#
#   tests/machine/boot.sh KERNEL CONSOLE ACCELERATOR QEMU INITRAMFS CPUS WORDS [ARGUMENT]...
#
# CONSOLE is the kernel's name of the serial line. QEMU is the program with the arguments that make it this machine, all
# in one word; more arguments may follow at the end. WORDS are init's arguments, also in one; words for the kernel may
# go before them, and then a ' -- '.

if [ $# -lt 7 ]; then
  echo "usage: $0 KERNEL CONSOLE ACCELERATOR QEMU INITRAMFS CPUS WORDS [ARGUMENT]..." >&2
  exit 2
fi
kernel=$1 console=$2 accelerator=$3 qemu=$4 initramfs=$5 cpus=$6 words=$7
shift 7
case $words in *' -- '*) ;; *) words="-- $words" ;; esac
# The hardware has its own kind of CPU only.
[ "$accelerator" = kvm ] && set -- -cpu host "$@"

log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
# panic=-1: restart at once after a panic; -no-reboot: which is the end.
$qemu -accel "$accelerator" -smp "$cpus" -nodefaults -no-user-config -no-reboot -display none \
  -chardev "stdio,id=console,mux=on,signal=off,logfile=$log" -serial chardev:console -mon chardev=console \
  -kernel "$kernel" -initrd "$initramfs" -append "console=$console panic=-1 quiet mitigations=off $words" "$@"
status=$?
code=$(tr -d '\r' <"$log" | sed -n 's/^init: exit code \([0-9]*\)$/\1/p' | tail -n 1)
if [ -z "$code" ]; then
  echo "the machine ended (status $status of QEMU) before its init did" >&2
  exit 1
fi
exit "$code"
