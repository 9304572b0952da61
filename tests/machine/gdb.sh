#!/bin/sh
# Starts a machine that waits for gdb before its first instruction, and says how gdb is to be called. Programs lie at
# the same address each time there; a first start of the machine finds it.
#
#   tests/machine/gdb.sh BOOT INITRAMFS CPUS PROGRAM ARGUMENTS PORT GDB
#
# BOOT starts the machine, PROGRAM is the one with symbols. The RAM disk holds it, as /NAME, and /load_address.

if [ $# != 7 ]; then
  echo "usage: $0 BOOT INITRAMFS CPUS PROGRAM ARGUMENTS PORT GDB" >&2
  exit 2
fi
boot=$1 initramfs=$2 cpus=$3 program=$4 arguments=$5 port=$6 gdb=$7
name=/${program##*/}
address=$("$boot" "$initramfs" 1 "norandmaps -- /load_address $name" </dev/null | tr -d '\r' |
  sed -n 's/^load address \(0x[0-9a-f]*\)$/\1/p')
if [ -z "$address" ]; then
  echo "the machine did not tell where $name lies in memory" >&2
  exit 1
fi
cat <<EOF
The machine waits for gdb (Ctrl-A X ends it), for example:

  $gdb -ex 'symbol-file $program -o $address' -ex 'target remote 127.0.0.1:$port' -ex 'break main' -ex continue

EOF
exec "$boot" "$initramfs" "$cpus" "norandmaps -- $name $arguments" -S -gdb "tcp:127.0.0.1:$port"
