#!/bin/sh
# Adds to a library of aarch64 the functions of libgcc, marked as ones that may stand in a program whose indirect
# branches are checked. That mark is of a program as a whole, and a single object without it takes it away; but
# distributions compile libgcc without landing pads.
#
#   rt/start/libgcc.sh PREFIX LIBGCC LIBRARY        PREFIX: of binutils, such as aarch64-linux-gnu-
#
# Compiled code calls these functions by their names, with a direct branch, which needs no pad. So they need none as
# long as no indirect branch leads to them, and none of theirs to a place without one. Of each object it is checked that
#
#   its relocations     lead to code for calls and jumps only: it takes the address of no function
#   its instructions    hold no indirect branch but those of jump tables, all in the one form that g++ gives them
#
# The branch of a jump table becomes a `ret` by the same register: the same jump, but one that is not checked. Objects
# that do not pass, and those that have a mark of their own, are left to libgcc.
set -eu

prefix=$1 libgcc=$2 library=$(readlink -f "$3")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

LC_ALL=C
export LC_ALL
cd "$work"
"${prefix}ar" x "$libgcc"

# What passes, a line each: "mark FILE", and "table FILE SECTION ADDRESS" for each branch of a jump table.
{ "${prefix}readelf" -SrW -- *.o && "${prefix}objdump" -d -- *.o; } | awk '
  /^File: / { file = $2; files[file] }
  /\.note\.gnu\.property/ { refused[file] }
  /^Relocation section / { for_unwinding = /\.eh_frame/ }
  / R_AARCH64_/ && !for_unwinding && $3 !~ /_(CALL|JUMP)26$/ && $5 !~ /^\.(rodata|data|bss|LC)/ { refused[file] }

  /:  *file format / { file = $1; sub(/:$/, "", file) }
  /^Disassembly of section / { section = $4; sub(/:$/, "", section) }
  /^ *[0-9a-f]+:\t/ {
    address = $1; operation = $3; result = $4; source = $5
    sub(/:$/, "", address); sub(/,$/, "", result); sub(/,$/, "", source)
    if (operation == "br" && result == sum && base != "") {
      tables[file] = tables[file] "table " file " " section " " address "\n"
      --addresses[file]
    } else if (operation ~ /^bl?ra?[ab]?z?$/) refused[file]
    if (operation == "adr") ++addresses[file]
    sum = operation == "add" && source == base && base != "" ? result : ""
    base = operation == "adr" ? result : sum != "" ? base : ""
  }
  END {
    for (file in files)
      if (!(file in refused) && !addresses[file]) printf "mark %s\n%s", file, tables[file]
  }' >passed

grep '^table ' passed | while read -r _ file section address; do
  offset=$("${prefix}readelf" -SW "$file" | sed 's/^ *\[[^]]*\] *//' | awk -v name="$section" '$1 == name { print $4 }')
  # br is 0xd61f0000, ret is 0xd65f0000, with the register in bits 5 to 9.
  printf '\137' | dd of="$file" bs=1 seek=$((0x$offset + 0x$address + 2)) conv=notrunc status=none
done

# NT_GNU_PROPERTY_TYPE_0 with GNU_PROPERTY_AARCH64_FEATURE_1_AND: BTI.
printf '\4\0\0\0\20\0\0\0\5\0\0\0GNU\0\0\0\0\300\4\0\0\0\1\0\0\0\0\0\0\0' >note
add_to() { sed -n 's/^mark //p' passed | sort | xargs "${prefix}ar" qcD "$1"; }
add_to marked.a
"${prefix}objcopy" --add-section .note.gnu.property=note --set-section-flags .note.gnu.property=alloc,readonly marked.a
"${prefix}objcopy" --set-section-alignment .note.gnu.property=8 marked.a
"${prefix}ar" x marked.a
add_to "$library"
