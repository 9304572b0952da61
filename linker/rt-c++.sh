#!/bin/sh
# rt-c++: compiles and links programs with the runtime, as musl-gcc does with musl. Takes any option of g++ (RT_CXX
# names another compiler); makes one static, position-independent binary that needs nothing but the kernel.
#
#   rt-c++ hello.cpp -o hello
#   rt-c++ --smallest -Os -s hello.cpp -o hello     without crash reports, about 2 KiB less

sdk=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd) || exit 1
. "$sdk/lib/flags"
compiler=${RT_CXX:-$default_compiler}

link=yes crash_reports=-Wl,-u,rt_report_crashes
for argument; do
  shift
  case $argument in
    --smallest) crash_reports= ; continue ;;
    -c | -S | -E | -M | -MM | -fsyntax-only) link=no ;;
    -h | --help | --version) exec "$compiler" "$argument" "$@" ;;
  esac
  set -- "$@" "$argument"
done
if [ $# = 0 ]; then
  echo "rt-c++: no input files" >&2
  exit 2
fi

set -- -std=c++20 -fno-exceptions -fno-rtti -ffunction-sections -fdata-sections -fno-omit-frame-pointer $compile \
  -isystem "$sdk/include" "$@"
if [ $link = yes ]; then
  set -- "$@" -static-pie -nostdlib -nostartfiles -Wl,-T,"$sdk/lib/bare.ld" -Wl,--gc-sections \
    -Wl,-z,noexecstack -Wl,--no-dynamic-linker -Wl,--build-id=none $crash_reports $link_flags \
    -Wl,--start-group "$sdk/lib/librt.a" "$sdk/lib/libmusl-pure.a" -lgcc -Wl,--end-group
fi
exec "$compiler" "$@"
