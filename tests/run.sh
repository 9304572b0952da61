#!/bin/sh
# Runs the test programs given, each with a time limit, and adds up the last lines that they print ("N passed, N failed").
# A program that ends without that line counts as one failure. Lines that begin with SKIPPED, and say what and why, are
# counted and shown again at the end.

# Tests that call make start one of their own.
unset MAKEFLAGS MFLAGS MAKELEVEL

passed=0 failed=0
output=$(mktemp) && skipped=$(mktemp) || exit 1
trap 'rm -f "$output" "$skipped"' EXIT
for program; do
  printf '\n== %s\n' "$program"
  timeout 300 "$program" >"$output" 2>&1
  status=$?
  cat "$output"
  grep '^SKIPPED ' "$output" >>"$skipped"
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$output" | tail -n 1)
  if [ -z "$line" ]; then
    echo "$program ended with status $status and without a result"
    failed=$((failed + 1))
    continue
  fi
  passed=$((passed + ${line%% *}))
  rest=${line#*, }
  failures=${rest%% *}
  # A status that no failed case explains is a failure of its own: a sanitizer's report, a crash at exit.
  [ "$status" != 0 ] && [ "$failures" = 0 ] && failures=1
  failed=$((failed + failures))
done
if [ -s "$skipped" ]; then
  printf '\n%s left out:\n' "$(grep -c . "$skipped")"
  cat "$skipped"
fi
printf '\n%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
