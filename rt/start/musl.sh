#!/bin/sh
# Makes the library of musl's pure functions that programs are linked with, from musl's source as Debian has it: the
# same functions, compiled in the same way, for each CPU.
#
#   rt/start/musl.sh CPU COMPILER_PREFIX FLAGS LIBRARY
#
# They are compiled for size, position-independent, and without a stack protector: its canary lies at the thread
# pointer, and start-up copies memory before there is one. Where FLAGS ask for branch protection, libgcc's functions
# come along, marked accordingly (libgcc.sh).
#
# Source and results are kept in ${XDG_CACHE_HOME:-~/.cache}/rt/musl, so that each is made once. Everything arrives
# there under its final name by a rename, complete: builds that run at the same time do not see each other's halves.
set -eu

version=1.2.3 suite=bookworm
checksum=7d5b0b6062521e4627e099e4c9dc8248d32a30285e959b7eecaa780cf8cfd4a4

cpu=$1 prefix=$2 flags="-Os -fPIE -fno-stack-protector -ffunction-sections -fdata-sections $3"
library=$(cd "$(dirname "$4")" && pwd)/$(basename "$4")
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/rt/musl
source=$cache/musl-$version.tar.gz
libgcc=
case $flags in *branch-protection*) libgcc=$("${prefix}gcc" -print-libgcc-file-name) ;; esac
key=$({ cat "$here/musl-pure.list" "$here/libgcc.sh" "$0" ${libgcc:+"$libgcc"} && "${prefix}gcc" --version &&
  echo "$flags"; } | sha256sum | cut -c 1-16)
result=$cache/pure-$version-$cpu-$key.a

mkdir -p "$cache"
work=$(mktemp -d "$cache/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

fail() {
  echo "musl: $1" >&2
  exit 1
}

is_genuine() { [ "$(sha256sum <"$1" | cut -d ' ' -f 1)" = "$checksum" ]; }

# Debian's mirror, as the machine's apt is told; nothing of its configuration or of its lists is changed.
download() {
  mirror=$(grep -hv '^#' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
    grep -o '[a-z]*://[^[:space:]]*/debian/*\([[:space:]]\|$\)' | sed -n 1p)
  [ -n "$mirror" ] || return
  mkdir -p "$work/lists/partial" "$work/archives/partial"
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  [ -e $keyring ] && option="[signed-by=$keyring] " || option=
  echo "deb-src $option${mirror%% *} $suite main" >"$work/sources.list"
  set -- -qq -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work" -o APT::Sandbox::User="$(id -un)"
  (cd "$work" && apt-get "$@" update && apt-get "$@" source --download-only --only-source musl) >"$work/log" 2>&1 ||
    cat "$work/log" >&2
}

if [ ! -e "$source" ]; then
  ! command -v apt-get >/dev/null || download
  tarball=$(echo "$work"/musl_*.orig.tar.gz)
  [ -e "$tarball" ] && is_genuine "$tarball" ||
    fail "the source could not be fetched; please put musl-$version.tar.gz there: $source"
  mv "$tarball" "$source"
fi

if [ ! -e "$result" ]; then
  is_genuine "$source" || fail "not the musl-$version.tar.gz that is expected, please remove it: $source"
  tar xf "$source" -C "$work"
  cd "$work/musl-$version"
  # Branch protection asks for a landing pad where an indirect branch may lead (bti c, in the spelling that every
  # assembler knows), and for a note that says there is one: compilers make both, but not for assembly.
  if [ "$libgcc" ]; then
    for file in src/*/"$cpu"/*.S; do
      sed -i 's/^\([a-z_][a-z_0-9]*\):/&\n\thint #34/' "$file"
      printf '%s\n' '.section .note.gnu.property, "a"' '.p2align 3' '.word 4, 16, 5' '.asciz "GNU"' \
        '.word 0xc0000000, 4, 1, 0' >>"$file"
    done
  fi
  # A CPU's own form of a function goes before the common one.
  objects=
  for name in $(sed -n 's/^\([a-z_0-9]\{1,\}\) .*/\1/p' "$here/musl-pure.list"); do
    found=
    for file in src/*/"$cpu/$name".[csS] src/*/"$name".c; do
      [ ! -e "$file" ] || { found=$file && break; }
    done
    [ -n "$found" ] || fail "there is no $name"
    objects="$objects obj/${found%.*}.o"
  done
  unset MAKEFLAGS MFLAGS # of the build that calls this script
  { ./configure --target="$cpu-linux-musl" --disable-shared CC="${prefix}gcc" CFLAGS="$flags" &&
    make -j2 AR="${prefix}ar" RANLIB="${prefix}ranlib" AOBJS="$objects" lib/libc.a; } >"$work/log" 2>&1 ||
    { tail -n 20 "$work/log" >&2 && fail "compiling failed"; }
  [ -z "$libgcc" ] || "$here/libgcc.sh" "$prefix" "$libgcc" lib/libc.a
  mv lib/libc.a "$result"
fi

cp "$result" "$library.new"
mv "$library.new" "$library"
