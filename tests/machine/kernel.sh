#!/bin/sh
# Prints the path of a kernel for a virtual machine, and gets it first if it is not there: a package of Debian is
# downloaded and unpacked, or, where a configuration is named, the package with the kernel's source is built with it.
#
#   tests/machine/kernel.sh [--cached] PACKAGE:ARCHITECTURE [CONFIG KERNEL_ARCH CROSS_COMPILE]
#
# With --cached it only looks, and the status tells whether the kernel is there.
#
# Nothing is installed. apt reads the machine's list of mirrors and its keys; package lists and state of its own are
# in a folder that is removed at the end, so that other architectures need not be enabled on the machine.
#
# Kernels stay in ${XDG_CACHE_HOME:-~/.cache}/rt/kernels, each in a folder named after package, version, and checksum
# of package and configuration. A link named after package, architecture and configuration leads to the one in use;
# without the link, the newest that the mirrors have is taken.

set -u
only_cached=false
if [ "${1-}" = --cached ]; then
  only_cached=true
  shift
fi
case $# in 1 | 4) ;; *)
  echo "usage: $0 [--cached] PACKAGE:ARCHITECTURE [CONFIG KERNEL_ARCH CROSS_COMPILE]" >&2
  exit 2
  ;;
esac
meta=${1%:*} architecture=${1##*:} config=${2-} kernel_arch=${3-} cross_compile=${4-}

fail() {
  echo "no kernel: $*" >&2
  exit 1
}
digest() { sha256sum | cut -c 1-12; }

cache=${XDG_CACHE_HOME:-$HOME/.cache}/rt/kernels
mkdir -p "$cache" || exit 1
suffix=
if [ -n "$config" ]; then
  suffix=_$(grep '^CONFIG_' "$config" | digest)
fi
link=$cache/$meta-$architecture$suffix

found() {
  if [ -f "$link/kernel" ]; then
    readlink -f "$link/kernel"
    exit 0
  fi
}
found
$only_cached && exit 1
exec 9>"$link.lock" && flock 9 || fail "cannot lock $link.lock"
found # another make may have got it in the meantime

work=$(mktemp -d "$cache/work.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# --- The package ---------------------------------------------------------------------------------------------------

command -v apt-get >/dev/null || fail "no apt-get here to download $meta with; name a kernel with KERNEL=FILE"
mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial"
: >"$work/status"
native=$architecture
[ "$native" = all ] && native=$(dpkg --print-architecture)
cat >"$work/apt.conf" <<EOF
Dir::State "$work/state";
Dir::State::status "$work/status";
Dir::Cache "$work/cache";
APT::Architecture "$native";
APT::Architectures { "$native"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
EOF
export APT_CONFIG="$work/apt.conf"

field() { apt-cache show --no-all-versions "$1" 2>/dev/null | sed -n "s/^$2: //p"; }

echo "  KERNEL  $meta for $architecture" >&2
apt-get -qq update >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "apt-get cannot read the package lists"; }
# The package named is an empty one that depends on that of the current version.
package=$(field "$meta" Depends | sed 's/[ ,].*//')
[ -n "$package" ] || fail "the mirrors of this machine have no $meta for $architecture; name a kernel with KERNEL=FILE"
version=$(field "$package" Version)
checksum=$(field "$package" SHA256 | cut -c 1-12)
[ -n "$version" ] && [ -n "$checksum" ] || fail "$package has no version or checksum in the package lists"
home=${package}_$(echo "$version" | tr : %)_$checksum$suffix

# --- Its kernel ----------------------------------------------------------------------------------------------------

build() {
  begin=$(date +%s)
  echo "  KERNEL  building $package $version, once, which takes a few minutes" >&2
  mkdir "$work/source" "$work/build"
  dpkg-deb --fsys-tarfile "$1" | tar -xO --wildcards './usr/src/linux-source-*.tar.xz' |
    tar -xJ -C "$work/source" --strip-components 1 || fail "$package cannot be unpacked"
  make_kernel() {
    env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS \
      KBUILD_BUILD_TIMESTAMP="$version" KBUILD_BUILD_USER=rt KBUILD_BUILD_HOST=rt \
      make -C "$work/source" O="$work/build" ARCH="$kernel_arch" CROSS_COMPILE="$cross_compile" "$@" \
      >>"$work/log" 2>&1 ||
      { tail -n 30 "$work/log" >&2; fail "building it failed"; }
  }
  make_kernel KCONFIG_ALLCONFIG="$(readlink -f "$config")" allnoconfig
  # An option that the kernel does not know, or whose needs are not met, is dropped without a word.
  dropped=$(grep '^CONFIG_' "$config" | grep -vxFf "$work/build/.config")
  [ -z "$dropped" ] || fail "$package does not take these lines of $config:" $dropped
  make_kernel -j "$(nproc)" Image
  cp "$work/build/arch/$kernel_arch/boot/Image" "$work/result/kernel"
  cp "$work/build/.config" "$work/result/config"
  echo "  KERNEL  $package $version took $(($(date +%s) - begin)) seconds" >&2
}

if [ ! -f "$cache/$home/kernel" ]; then
  (cd "$work" && apt-get -qq download "$package") >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; fail "$package is not to be had"; }
  mkdir "$work/result"
  if [ -n "$config" ]; then
    build "$work/$package"_*.deb
  else
    dpkg-deb --fsys-tarfile "$work/$package"_*.deb | tar -xO --wildcards './boot/vmlinuz-*' >"$work/result/kernel" ||
      fail "$package cannot be unpacked"
  fi
  [ -s "$work/result/kernel" ] || fail "$package holds none"
  mv -T "$work/result" "$cache/$home" || exit 1
fi
ln -s "$home" "$work/link" && mv -T "$work/link" "$link" || exit 1
found
