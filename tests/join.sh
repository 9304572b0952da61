#!/bin/sh
# Prints one source that consists of several test files: all headers that these include, and then each file in a
# namespace of its own, which is named after it.
#
#   tests/join.sh FILE...

for file; do
  sed -n "s|^#include \"|#include \"$(dirname "$file")/|p; /^#include </p" "$file"
done | sort -u
for file; do
  printf 'namespace %s {\n#include "%s"\n}\n' "$(basename "$file" .cpp)" "$file"
done
