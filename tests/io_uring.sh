#!/bin/sh
# Runs the unit tests of what waits for descriptors once more, by the engine that is not the default one:
# io_uring.sh UNIT-TESTS [OPTION]... Cases that call the host's fork() themselves, behind the runtime's back, are left out:
# a ring belongs to the task that has made it. Where the kernel does not allow io_uring, as in many containers, it says so.

program=$1
shift
files='*readiness*,*socket*,*fd_test*,*connection*,*selector*,*http*,*resolver*'
# Processes of a program with ThreadSanitizer take long to start, and a ring knows them by descriptors as any other.
case $program in *-thread/*) ;; *) files="$files,*process*,*pool*" ;; esac
output=$(mktemp) || exit 1
trap 'rm -f "$output"' EXIT
RT_ENGINE=io_uring "$program" --source-file="$files" --test-case-exclude='*never takes the place*' "$@" >"$output" 2>&1
status=$?
cat "$output"
echo 'SKIPPED by io_uring: signal_events_test.cpp, "a socket never takes the place of a standard stream": they call fork() themselves'
if [ "$status" = 2 ] && grep -q '^RT_ENGINE=io_uring: ' "$output"; then
  echo "SKIPPED the tests by io_uring: $(grep -m 1 '^RT_ENGINE=io_uring: ' "$output")"
  echo '0 passed, 0 failed'
  exit 0
fi
exit "$status"
