#!/bin/sh
# Copies files below a directory, and removes exactly these again.
#
#   linker/install.sh install FROM TO LIST FILE...   FROM/FILE becomes TO/FILE
#   linker/install.sh uninstall TO LIST...           removes what those of the lists name that are there
#
# TO/LIST tells what was installed: a file in each line, and directories, with a slash at the end, that did not exist
# before. Installing again first removes what the last time's list names, so that nothing of an old version stays.

fail() {
  echo "install.sh: $1" >&2
  exit 1
}

# Makes a directory below TO and those above it; tells which did not exist.
make_directories() {
  [ -d "$to/$1" ] && return
  case $1 in */*) make_directories "${1%/*}" ;; esac
  install -d -m 755 "$to/$1" || exit 1
  echo "$1/"
}

remove_files() {
  while read -r name; do
    case $name in */) ;; *) rm -f "$to/$name" || exit 1 ;; esac
  done <"$1"
}

case ${1-} in
install)
  [ $# -ge 5 ] || fail "usage: linker/install.sh install FROM TO LIST FILE..."
  from=$2 to=$3 list=$4
  shift 4
  mkdir -p "$to" || exit 1
  known_directories=
  if [ -e "$to/$list" ]; then
    known_directories=$(grep '/$' "$to/$list")
    remove_files "$to/$list" || exit 1
  fi
  made_directories=$(for name in "$list" "$@"; do make_directories "${name%/*}"; done) ||
    fail "cannot make directories in '$to'"
  printf '%s\n' "$known_directories" "$made_directories" "$list" "$@" | sed '/^$/d' | LC_ALL=C sort -u >"$to/$list" ||
    fail "cannot write '$to/$list'"
  for name; do
    if [ -L "$from/$name" ]; then
      ln -sfn "$(readlink "$from/$name")" "$to/$name"
    else
      mode=644
      [ -x "$from/$name" ] && mode=755
      install -m $mode "$from/$name" "$to/$name"
    fi || fail "cannot write '$to/$name'"
  done
  ;;
uninstall)
  [ $# -ge 3 ] || fail "usage: linker/install.sh uninstall TO LIST..."
  to=$2
  shift 2
  for list; do
    shift
    if [ -e "$to/$list" ]; then set -- "$@" "$list"; fi
  done
  [ $# != 0 ] || fail "nothing is installed in '$to'"
  directories=$(for list; do grep '/$' "$to/$list"; done)
  for list; do remove_files "$to/$list" || exit 1; done
  # The deepest first; those that hold files of others stay.
  printf '%s\n' "$directories" | LC_ALL=C sort -ru | while read -r name; do
    [ "$name" ] && rmdir "$to/$name" 2>/dev/null
  done
  exit 0
  ;;
*) fail "usage: linker/install.sh install FROM TO LIST FILE... | uninstall TO LIST..." ;;
esac
