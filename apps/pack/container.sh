#!/bin/sh
# Runs the image of an archive: with podman or docker, or where neither works, unpacked and in namespaces of its own.
#
#   apps/pack/container.sh ARCHIVE NAME [ARGUMENT]...
#
# CONTAINER_ENGINE chooses: "podman" and "docker" may have options of theirs, "namespaces" needs no engine.
# CONTAINER_FLAGS are further options of the engine's run command.
#
# All ways give the same: the app is PID 1 on a read-only root that holds only what is in the image, with no capability.
# In the namespaces of this script there is no /proc either, no network but the loopback (which takes ip or ifconfig to
# start), and the user is nobody.

if [ $# -lt 2 ]; then
  echo "container.sh: too few arguments; usage: apps/pack/container.sh ARCHIVE NAME [ARGUMENT]..." >&2
  exit 2
fi
archive=$1 name=$2
shift 2
[ -r "$archive" ] || { echo "container.sh: cannot read '$archive'" >&2; exit 1; }

engine=${CONTAINER_ENGINE-}
if [ -z "$engine" ]; then
  engine=namespaces
  for candidate in podman docker; do
    # A client may be there without a daemon that it could ask.
    if "$candidate" info >/dev/null 2>&1; then engine=$candidate && break; fi
  done
fi

if [ "$engine" != namespaces ]; then
  terminal=
  [ -t 0 ] && [ -t 1 ] && terminal=-t
  echo "container.sh: running $name with $engine" >&2
  $engine load -q -i "$archive" >/dev/null || exit 1
  # shellcheck disable=SC2086 # words are what is wanted
  exec $engine run --rm -i $terminal --read-only --cap-drop=ALL ${CONTAINER_FLAGS-} "$name" "$@"
fi

# Without a namespace of users, only root may make the other ones. In it, the app is an ordinary user of a second one,
# and so has no right in the first.
if unshare --user true 2>/dev/null; then
  outer=--map-root-user inner='--map-user=65534 --map-group=65534'
elif [ "$(id -u)" = 0 ]; then
  outer='' inner='--setuid=65534 --setgid=65534'
else
  echo "container.sh: this kernel lets only root make namespaces; run as root, or install podman or docker" >&2
  exit 1
fi
echo "container.sh: running $name unpacked in new namespaces (no podman or docker in use)" >&2

root=$(mktemp -d) || exit 1
trap 'rm -rf "$root"' EXIT
member() { tar -xOf "$archive" "$1"; }
manifest=$(member manifest.json) || exit 1
layer=$(expr "$manifest" : '.*"Layers":\["\([^"]*\)"')
config=$(expr "$manifest" : '.*"Config":"\([^"]*\)"')
entrypoint=$(expr "$(member "$config" | tr -d '\n')" : '.*"Entrypoint":\[\([^]]*\)' | tr -d '"' | tr , ' ')
member "$layer" | tar -xf - -C "$root" || exit 1
chmod 755 "$root"

# shellcheck disable=SC2016,SC2086
unshare $outer --mount --pid --net --uts --ipc --fork --kill-child -- sh -c '
  root=$1 inner=$2
  shift 2
  ip link set lo up 2>/dev/null || ifconfig lo up 2>/dev/null
  mount --bind "$root" "$root" && mount -o remount,bind,ro,nosuid,nodev "$root" &&
    exec unshare $inner --root="$root" -- "$@"
' sh "$root" "$inner" $entrypoint "$@"
