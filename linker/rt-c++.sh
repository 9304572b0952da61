#!/bin/sh
# rt-c++: compiles and links programs with the runtime, as musl-gcc does with musl. Takes any option of g++; makes one
# static, position-independent binary that needs nothing but the kernel.
#
#   rt-c++ hello.cpp -o hello
#   rt-c++ --target=aarch64 hello.cpp -o hello      for another CPU; aarch64-rt-c++ does the same
#   rt-c++ --smallest -Os -s hello.cpp -o hello     without crash reports, about 2 KiB less
#
# RT_CXX names another compiler than the one that the library was built with, and options of it: "ccache clang++".
# The headers and libraries are found from where this script lies, so that the whole may be moved.

prefix=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd) || exit 1
libraries=$prefix/lib/rt

fail() {
  echo "rt-c++: $1" >&2
  exit 2
}

cpu='' input='' information='' operand='' to_link=yes crash_reports=-Wl,-u,rt_report_crashes
case ${0##*/} in *-rt-c++) cpu=${0##*/} ;; esac

for argument; do
  shift
  case $operand$argument in
  operand*) operand='' ;;
  --target=*) cpu=${argument#*=} && continue ;;
  --smallest) crash_reports='' && continue ;;
  -c | -S | -E | -M | -MM | -fsyntax-only) to_link=no ;;
  -v | -V | '-###' | --version | --help* | -dump* | -print-* | --print-*) information=yes ;;
  -o | -x | -I | -D | -U | -L | -l | -B | -T | -u | -e | -z | -A | -G | -MF | -MT | -MQ | --param | -aux-info | \
    -include | -imacros | -isystem | -iquote | -idirafter | -iprefix | -iwithprefix | -iwithprefixbefore | \
    -isysroot | --sysroot | -wrapper | -Xlinker | -Xassembler | -Xpreprocessor | -Xclang | -mllvm) operand=operand ;;
  - | [!-]*) input=yes ;;
  esac
  set -- "$@" "$argument"
done

cpu=${cpu%%-*}
if [ -z "$cpu" ]; then
  cpu=$(uname -m)
  # Where there is but one CPU's library, as in the SDK of a cross build, that is the one.
  [ -d "$libraries/$cpu" ] || cpu=$(cd "$libraries" && echo *)
fi
[ -r "$libraries/$cpu/flags" ] || fail "no library for the CPU '$cpu'; there is: $(cd "$libraries" && echo *)"
# shellcheck source=/dev/null
. "$libraries/$cpu/flags"

compiler=${RT_CXX:-$compiler}
command -v "${compiler%% *}" >/dev/null || fail "there is no compiler '${compiler%% *}'; RT_CXX can name another"
# shellcheck disable=SC2154 # the flags are from the file
case $compiler in
*clang*) compile="$compile $clang_compile" link_flags="$link $clang_link" ;;
*) compile="$compile $gcc_compile" link_flags="$link $gcc_link" ;;
esac

# shellcheck disable=SC2086 # words are what is wanted
{
  [ "$input" ] || [ -z "$information" ] || exec $compiler "$@"
  [ "$input" ] || fail "no input files"
  [ $to_link = no ] ||
    set -- "$@" $link_flags $crash_reports -T "$libraries/$cpu/bare.ld" -x none \
      -Wl,--start-group "$libraries/$cpu/librt.a" "$libraries/$cpu/libmusl-pure.a" -lgcc -Wl,--end-group
  exec $compiler $compile -isystem "$libraries/$cpu/include" -isystem "$prefix/include/rt" "$@"
}
