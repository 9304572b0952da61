#!/bin/sh
# Runs a fuzzer: fuzz.sh PROGRAM NAME test           few inputs, always the same ones; ends with the line of a test
#                fuzz.sh PROGRAM NAME SECONDS FOLDER  new ones for that long; FOLDER keeps what they found for the next time
#
# tests/fuzz/NAME.seeds/ holds inputs to begin with, and tests/fuzz/NAME.dict words that inputs are made of (a
# dictionary of libFuzzer), where there are any. An input that ends the program badly is kept in a file.

set -eu
program=$1 name=$2 seconds=$3 folder=${4:-}

seeds=tests/fuzz/$name.seeds dictionary=tests/fuzz/$name.dict
set -- -timeout=20 -rss_limit_mb=1024
[ ! -e "$dictionary" ] || set -- "$@" "-dict=$dictionary"

if [ "$seconds" = test ]; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  set -- "$@" -seed=1 -runs=20000 "-artifact_prefix=${TMPDIR:-/tmp}/$name-" "$folder"
  [ ! -d "$seeds" ] || set -- "$@" "$seeds"
  if "$program" "$@"; then
    echo '1 passed, 0 failed'
  else
    echo '0 passed, 1 failed'
    exit 1
  fi
else
  mkdir -p "$folder"
  set -- "$@" "-max_total_time=$seconds" -print_final_stats=1 "-artifact_prefix=$folder-" "$folder"
  [ ! -d "$seeds" ] || set -- "$@" "$seeds"
  exec "$program" "$@"
fi
