#!/bin/sh
# Makes what one ships of a program: no symbols, no debugging information, and no section headers, which only linkers and
# debuggers read. What the kernel maps is left, to the byte, and the ELF header that leads to it.
#
#   linker/strip.sh PREFIX PROGRAM RESULT      PREFIX: of binutils, such as aarch64-linux-gnu-

set -eu
prefix=$1 program=$2 result=$3

"${prefix}objcopy" --strip-all "$program" "$result"

# The last byte that a program header speaks of.
end=$("${prefix}readelf" -lW "$result" | {
  end=0
  while read -r _ offset _ _ size _; do
    case $offset$size in
    0x*0x*) [ $((offset + size)) -le "$end" ] || end=$((offset + size)) ;;
    esac
  done
  echo "$end"
})
[ "$end" -gt 64 ] || { echo "$0: $program has no segments" >&2; exit 1; }
truncate -s "$end" "$result"

# Offsets in the header of a 64-bit file: e_shoff; e_shnum and e_shstrndx.
zero() { head -c "$2" /dev/zero | dd of="$result" bs=1 seek="$1" conv=notrunc status=none; }
zero 40 8
zero 60 4
