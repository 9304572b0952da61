#!/bin/sh
# Runs all apps of a directory: first those without a number in their names, then by number. Each is introduced by a line
# on what it shows; a table of results, sizes and times is at the end. The status is 1 if any app failed.
#
#   apps/tour.sh DIRECTORY TIME_SCALE

if [ $# != 2 ] || [ ! -d "$1" ]; then
  echo "usage: $0 DIRECTORY TIME_SCALE" >&2
  exit 2
fi
directory=$1 time_scale=$2
sources=$(dirname "$0")
LC_ALL=C
export LC_ALL

bold='' green='' red='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then
  bold=$(printf '\033[1m') green=$(printf '\033[32m') red=$(printf '\033[31m') plain=$(printf '\033[0m')
fi

# The wall clock in hundredths of a second.
now() {
  read -r uptime _ </proc/uptime
  echo "${uptime%.*}${uptime#*.}"
}

# What an app shows: the first line of its --help, or of its source if it takes no options.
about() {
  case $1 in
  [0-9]*) timeout 10 "$directory/$1" --help | sed -n 1p ;;
  *) sed -n '1s|^// ||p' "$sources/$1.cpp" 2>/dev/null ;;
  esac
}

apps=0 failed=0 table=
run() {
  printf '%s\n' "$bold$1$plain: $(about "$1")"
  begin=$(now)
  case $1 in
  [0-9]*) timeout --foreground 60 "$directory/$1" --time-scale "$time_scale" ;;
  *) timeout --foreground 60 "$directory/$1" ;;
  esac
  status=$?
  elapsed=$(($(now) - begin))
  echo
  case $status in
  0) result=ok colour=$green ;;
  124) result='timed out' colour=$red ;;
  *) result="status $status" colour=$red ;;
  esac
  [ $status = 0 ] || failed=$((failed + 1))
  apps=$((apps + 1))
  size=$(($(wc -c <"$directory/$1.stripped")))
  table=$table$(printf '%-28s %s%-10s%s %8d bytes %5d.%02d s' "$1" "$colour" "$result" "$plain" "$size" \
    $((elapsed / 100)) $((elapsed % 100)))'
'
}

for program in "$directory"/[!0-9]* "$directory"/[0-9]*; do
  name=${program##*/}
  case $name in *.*) continue ;; esac
  [ -f "$program" ] && [ -x "$program" ] && run "$name"
done

printf '%s%-28s %-10s %14s %10s%s\n%s' "$bold" app result size time "$plain" "$table"
if [ $apps = 0 ]; then
  echo "no apps in $directory" >&2
  exit 1
fi
[ $failed = 0 ]
