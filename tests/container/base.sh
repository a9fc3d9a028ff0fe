#!/usr/bin/env bash
# Makes a stand-in for the image that the Dockerfile starts from, out of Debian packages alone, because
# an image registry may be out of reach: bookworm with Debian's own Python (3.11, which musefs allows).
# Usage: base.sh NAME PODMAN...     NAME: the image's full name; PODMAN...: the podman command to use
set -euo pipefail

name=$1
shift
podman=("$@")

if "${podman[@]}" image exists "$name"; then exit 0; fi

root=$(mktemp -d /var/tmp/musefs-base.XXXXXX)
trap 'rm -rf --one-file-system "$root"' EXIT
debootstrap --variant=minbase --include=ca-certificates,python3,python3-dev,python3-venv \
    bookworm "$root" >"$root.log" || { tail -5 "$root.log" >&2; exit 1; }
rm -f "$root.log"

ln -s python3 "$root/usr/bin/python" # the official image has it
rm "$root"/var/cache/apt/archives/*.deb
tar -C "$root" -cf - . | "${podman[@]}" import --change 'CMD ["python3"]' - "$name" >/dev/null
