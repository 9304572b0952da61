#!/bin/sh
# Runs the test programs given, one more at a time than there are CPUs, as many of them wait now and then, each with a
# time limit, and adds up the last lines that they print ("N passed, N failed"). A program that ends without that line
# counts as one failure. What failed, and the lines that begin with SKIPPED and say what and why, are shown again at the
# end, and how long it took, with what was built since RT_BEGAN (seconds since 1970, if it is set).
#
#   tests/run.sh PROGRAM...
#   tests/run.sh --one FOLDER PROGRAM      runs one of them; its result goes to FOLDER

run_one() {
  folder=$1 program=$2
  output=$(mktemp "$folder/output.XXXXXX") || exit 1
  start=$(date +%s)
  timeout 600 "$program" >"$output" 2>&1
  status=$?
  seconds=$(($(date +%s) - start))

  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$output" | tail -n 1)
  if [ -n "$line" ]; then
    passed=${line%% *}
    rest=${line#*, }
    failed=${rest%% *}
    # A status that no failed case explains is a failure of its own: a sanitizer's report, a crash at exit.
    [ "$status" != 0 ] && [ "$failed" = 0 ] && failed=1
  else
    echo "$program ended with status $status and without a result" >>"$output"
    passed=0 failed=1
  fi

  # One at a time, so that outputs do not mix.
  exec 9>"$folder/lock" && flock 9
  printf '\n== %s (%s s)\n' "$program" "$seconds"
  cat "$output"
  grep '^SKIPPED ' "$output" >>"$folder/skipped"
  echo "$passed $failed" >>"$folder/results"
  if [ "$failed" != 0 ]; then
    {
      echo "== $program, status $status"
      grep -B 3 -A 6 -E 'ERROR: |^FAILED |Sanitizer' "$output" | head -n 30
      echo ...
      tail -n 10 "$output"
    } >>"$folder/failures"
  fi
  rm "$output"
}

if [ "$1" = --one ]; then
  run_one "$2" "$3"
  exit 0
fi

# Tests that call make start one of their own.
unset MAKEFLAGS MFLAGS MAKELEVEL

began=$(date +%s)

folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
for program; do echo "$program"; done | xargs -P "$(($(nproc) + 1))" -I '{}' "$0" --one "$folder" '{}'

if [ -s "$folder/skipped" ]; then
  printf '\n%s left out:\n' "$(grep -c . "$folder/skipped")"
  cat "$folder/skipped"
fi
if [ -s "$folder/failures" ]; then
  printf '\nfailed:\n'
  cat "$folder/failures"
fi
printf '\n%s s to build, %s s to test\n' "$((began - ${RT_BEGAN:-$began}))" "$(($(date +%s) - began))"
awk -v programs=$# '{ passed += $1; failed += $2 }
  END {
    if (NR < programs) { print programs - NR " programs gave no result"; failed += programs - NR }
    printf "\n%d passed, %d failed\n", passed, failed
    exit failed != 0 || passed == 0
  }' "$folder/results"
