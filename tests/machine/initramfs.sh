#!/bin/sh
# Writes an initial RAM disk to standard output: a "newc" archive of cpio, the same bytes for the same files. Its
# entries are owned by root and dated to the beginning of 1970; folders for what an init mounts are there.
#
#   tests/machine/initramfs.sh NAME=FILE... >ARCHIVE        such as init=build/x86_64/bare/apps/hello.stripped

set -e
LC_ALL=C
export LC_ALL
if [ $# = 0 ]; then
  echo "usage: $0 NAME=FILE..." >&2
  exit 2
fi

# Fills up to a multiple of four bytes.
pad() { head -c $(((4 - $1 % 4) % 4)) /dev/zero; }

number=0
# NAME MODE SIZE, and then SIZE bytes of contents and their padding have to follow.
header() {
  number=$((number + 1))
  # magic, inode, mode, user, group, links, time, size, device and device node, size of the name with its zero, no sum
  printf '070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X' \
    $number $(($2)) 0 0 1 0 "$3" 0 0 0 0 $((${#1} + 1)) 0
  printf '%s\0' "$1"
  pad $((110 + ${#1} + 1))
}

for folder in dev proc run sys tmp; do header $folder 0040755 0; done
for entry; do
  name=${entry%%=*} file=${entry#*=}
  if [ "$name" = "$entry" ] || [ ! -f "$file" ]; then
    echo "$0: $entry is not NAME=FILE" >&2
    exit 1
  fi
  size=$(($(wc -c <"$file")))
  header "$name" 0100755 "$size"
  cat "$file"
  pad "$size"
done
header 'TRAILER!!!' 0 0
