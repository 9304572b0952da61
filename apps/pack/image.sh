#!/bin/sh
# Makes a container image archive "FROM scratch": for each CPU, a directory that is the image's whole file system.
#
#   apps/pack/image.sh ARCHIVE NAME ENTRYPOINT PLATFORM=DIRECTORY...
#   apps/pack/image.sh hello.tar localhost/rt-hello:latest /hello amd64=root arm64/v8=root_of_arm
#
# ENTRYPOINT is the program's path in the image, and arguments that it always gets, all separated by spaces.
#
# The archive is an OCI image layout; beside its index lies the manifest.json of `docker save`, for engines that know
# only that. podman load, docker load, and skopeo (oci-archive: and docker-archive:) take it. Images for several CPUs
# are one name in the index, of which an engine takes its own CPU's; manifest.json has no such thing, and there the CPU
# is added to the tag (latest-amd64).
#
# The same files give the same archive to the byte: entries are sorted, all times are 0, all owners are root, of the
# modes only "executable" counts, and nothing is compressed.

usage() {
  echo "image.sh: $1; usage: apps/pack/image.sh ARCHIVE NAME ENTRYPOINT PLATFORM=DIRECTORY..." >&2
  exit 2
}
fail() {
  echo "image.sh: $1" >&2
  exit 1
}

[ $# -ge 4 ] || usage "too few arguments"
archive=$1 name=$2 entrypoint=$3
shift 3
case $name in *[!a-z0-9./_:-]*) usage "the name '$name' has a character that names of images have not" ;; esac
case ${name##*/} in ?*:?*) ;; *) usage "the name '$name' has no tag, such as :latest" ;; esac
case $entrypoint in *[!A-Za-z0-9./_=\ -]*) usage "the entry point '$entrypoint' is not of plain characters" ;; esac
case $entrypoint in /?*) ;; *) usage "the entry point '$entrypoint' is not an absolute path" ;; esac
for argument; do
  case $argument in [a-z]*=?*) ;; *) usage "'$argument' is not PLATFORM=DIRECTORY" ;; esac
  [ -d "${argument#*=}" ] || fail "there is no directory '${argument#*=}'"
  [ -x "${argument#*=}${entrypoint%% *}" ] || fail "'${argument#*=}' has no program ${entrypoint%% *}"
done

work=$(mktemp -d "$archive.XXXXXX" 2>/dev/null) || fail "cannot write beside '$archive'"
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
layout=$work/layout
mkdir -p "$layout/blobs/sha256" || exit 1

# A tar file of all that a directory holds, not of the directory itself.
pack() {
  (cd "$1" && find . -mindepth 1 -printf '%P\0' | LC_ALL=C sort -z) |
    tar --format=ustar --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=a=rX,u+w \
      -C "$1" --null --no-recursion -T - -cf "$2" || fail "cannot pack '$1'"
}

# Takes standard input into the layout; tells its digest and size.
blob() {
  cat >"$work/blob" || fail "cannot write to '$work'"
  digest=$(sha256sum <"$work/blob") && digest=${digest%% *}
  size=$(($(wc -c <"$work/blob")))
  mv "$work/blob" "$layout/blobs/sha256/$digest" || exit 1
}

# A descriptor, the way OCI refers to a blob: to the last one, of the type given, with further members if any.
describe() {
  printf '{"mediaType":"application/vnd.oci.image.%s","digest":"sha256:%s","size":%d%s}' \
    "$1" "$digest" "$size" "${2-}"
}

# Members for the platform, in a configuration as in a descriptor: amd64, or with a variant, arm64/v8.
platform_members() {
  printf '"architecture":"%s","os":"linux"' "${1%%/*}"
  case $1 in */*) printf ',"variant":"%s"' "${1#*/}" ;; esac
}

entrypoint_members=$(printf '"%s"' "$entrypoint" | sed 's/  */","/g')
names=$(printf ',"annotations":{"io.containerd.image.name":"%s","org.opencontainers.image.ref.name":"%s"}' \
  "$name" "$name")
images=$# manifests='' old_manifests=''
for argument; do
  platform=${argument%%=*}
  members=$(platform_members "$platform")

  pack "${argument#*=}" "$work/layer"
  blob <"$work/layer"
  layer=$(describe layer.v1.tar) layer_digest=$digest

  blob <<END
{"created":"1970-01-01T00:00:00Z",$members,"config":{"Entrypoint":[$entrypoint_members]},
"rootfs":{"type":"layers","diff_ids":["sha256:$layer_digest"]},
"history":[{"created":"1970-01-01T00:00:00Z","created_by":"rt"}]}
END
  config=$(describe config.v1+json) config_digest=$digest

  blob <<END
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":$config,"layers":[$layer]}
END
  [ $images != 1 ] || final=$(describe manifest.v1+json ",\"platform\":{$members}$names")
  manifests=$manifests${manifests:+,}$(describe manifest.v1+json ",\"platform\":{$members}")

  old_name=$name
  [ $images = 1 ] || old_name=$name-${platform%%/*}
  old_manifests=$old_manifests${old_manifests:+,}$(
    printf '{"Config":"blobs/sha256/%s","RepoTags":["%s"],"Layers":["blobs/sha256/%s"]}' \
      "$config_digest" "$old_name" "$layer_digest"
  )
done

# Several images are an index of their own, so that the name stands once in the outer one.
if [ $images != 1 ]; then
  blob <<END
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[$manifests]}
END
  final=$(describe index.v1+json "$names")
fi

echo '{"imageLayoutVersion":"1.0.0"}' >"$layout/oci-layout"
cat >"$layout/index.json" <<END
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[$final]}
END
echo "[$old_manifests]" >"$layout/manifest.json"
pack "$layout" "$work/archive"
mv "$work/archive" "$archive" || fail "cannot write '$archive'"
