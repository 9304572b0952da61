#!/bin/sh
# Boots a machine that runs tests, and passes on their results. A panic, a hang, and a machine that ends too early or
# without the tests' last line are failures; all that the console has shown is then told.
#
#   tests/machine/test.sh SECONDS COMMAND [ARGUMENT]...      the command starts it; after that time it is ended

if [ $# -lt 2 ]; then
  echo "usage: $0 SECONDS COMMAND [ARGUMENT]..." >&2
  exit 2
fi
seconds=$1
shift
output=$(mktemp) && console=$(mktemp) || exit 1
trap 'rm -f "$output" "$console"' EXIT
timeout -k 5 "$seconds" "$@" </dev/null >"$output" 2>&1
status=$?
tr -d '\r' <"$output" >"$console"

last=$(grep -xE '[0-9]+ passed, [0-9]+ failed' "$console" | tail -n 1)
told=$(grep -cE '^(ok|FAILED) ' "$console")
if [ -z "$last" ]; then
  problem='the tests did not come to their end'
elif [ "$told" != $((${last%% *} + $(echo "$last" | sed 's/.*, \([0-9]*\) .*/\1/'))) ]; then
  problem="$told results are told, and the last line says: $last" # lost, or from a machine that started twice
elif [ $status != 0 ]; then
  problem="status $status"
  [ $status = 124 ] && problem="not at its end after $seconds seconds"
else
  grep -E '^(ok|FAILED) ' "$console"
  echo "$last"
  exit 0
fi
cat "$console"
echo "the machine failed: $problem"
[ $status = 0 ] && status=1
exit $status
