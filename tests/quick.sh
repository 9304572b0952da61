#!/bin/sh
# A quick look at the programs of another CPU, under qemu-user: the tests of the bare profile, and each app. No
# substitute for a real kernel: the cases, apps and whole programs of cases (bare/...) that qemu-user cannot do are
# listed here by name, and printed as such.
#
#   tests/quick.sh CPU DIRECTORY        (which holds apps/ and tests/bare/)

if [ $# != 2 ] || [ ! -d "$2/apps" ] || [ ! -d "$2/tests/bare" ]; then
  echo "usage: $0 CPU DIRECTORY" >&2
  exit 2
fi
emulator=qemu-$1 directory=$2
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

cat >"$work/beyond" <<'END'
thousands of threads one after the other leave no memory and no descriptor behind|counts pages, the emulator's among them
2000 threads live at once, and a second time they take no more memory|counts pages, the emulator's among them
a subreaper gets the orphans among its descendants|prctl(PR_SET_CHILD_SUBREAPER) is unknown to it
with CLONE_VFORK the parent goes on when the child has ended|makes CLONE_VFORK an ordinary fork
12_concurrency_parallelism|its clone(2) makes processes with SIGCHLD only
16_process_api|its clone(2) makes processes with SIGCHLD only
16_process_class|its clone(2) makes processes with SIGCHLD only
16_process_function|its clone(2) makes processes with SIGCHLD only
17_pipe|its clone(2) makes processes with SIGCHLD only
17_pool|its clone(2) makes processes with SIGCHLD only
17_process_lock|its clone(2) makes processes with SIGCHLD only
17_process_queue|its clone(2) makes processes with SIGCHLD only
a child that closes its copy of what a fiber of the parent waits for does not keep it from waking|its clone(2) makes processes with SIGCHLD only
a pipe leads to another process, and its end is seen when that is killed|its clone(2) makes processes with SIGCHLD only
bare/pool|its clone(2) makes processes with SIGCHLD only
bare/process|its clone(2) makes processes with SIGCHLD only
bare/process_daemon|its clone(2) makes processes with SIGCHLD only
bare/process_options|its clone(2) makes processes with SIGCHLD only
bare/process_stress|its clone(2) makes processes with SIGCHLD only
threads read from and write to pipes of which the kernel cannot be told not to wait|knows no filters of system calls
init|starts programs, which the kernel beneath cannot execute
tour|starts programs, which the kernel beneath cannot execute
END

passed=0 failed=0 beyond=0
for program in "$directory"/tests/bare/*; do
  case $program in *.*) continue ;; esac
  printf '\n== %s\n' "$program"
  if why=$(grep "^bare/${program##*/}|" "$work/beyond"); then
    echo "beyond qemu-user: all of it (${why#*|})"
    beyond=$((beyond + 1))
    continue
  fi
  timeout 300 "$emulator" "$program" >"$work/output" 2>&1
  # A failed case that is listed is not shown with its output, and counts apart.
  awk -F'|' -v counts="$work/counts" '
    NR == FNR { why[$1] = $2; next }
    /^ok / { ++passed; hidden = 0 }
    /^FAILED / {
      name = substr($0, 8); sub(/: status .*/, "", name); hidden = name in why
      if (hidden) { ++beyond; print "beyond qemu-user: " name " (" why[name] ")" } else ++failed
    }
    /^[0-9]+ passed, [0-9]+ failed$/ { ended = 1; next }
    !hidden
    END {
      if (!ended) { ++failed; print "FAILED: it ended without a result" }
      print passed + 0, failed + 0, beyond + 0 >counts
    }' "$work/beyond" "$work/output"
  read -r more_passed more_failed more_beyond <"$work/counts"
  passed=$((passed + more_passed)) failed=$((failed + more_failed)) beyond=$((beyond + more_beyond))
done

printf '\n== %s\n' "$directory/apps"
for program in "$directory"/apps/*; do
  name=${program##*/}
  case $name in *.*) continue ;; esac
  if why=$(grep "^$name|" "$work/beyond"); then
    echo "beyond qemu-user: $name (${why#*|})"
    beyond=$((beyond + 1))
    continue
  fi
  case $name in
  [0-9]*) timeout 60 "$emulator" "$program" --time-scale 0.05 >"$work/output" 2>&1 ;;
  *) timeout 60 "$emulator" "$program" >"$work/output" 2>&1 ;;
  esac
  status=$?
  if [ $status = 0 ]; then
    echo "ok $name"
    passed=$((passed + 1))
  else
    echo "FAILED $name: status $status"
    cat "$work/output"
    failed=$((failed + 1))
  fi
done

printf '\n%s passed, %s failed, %s beyond qemu-user\n' $passed $failed $beyond
[ $failed = 0 ] && [ $passed != 0 ]
