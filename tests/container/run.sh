#!/usr/bin/env bash
# The image as a user runs it: built from the Dockerfile, started with the least rights that FUSE allows,
# its mount seen by the host. What the host reads must be the originals, stopping must leave nothing
# behind, and after a kill -9 the next start must clear the dead mount by itself.
# Needs root and Debian or Ubuntu. Images stay in /var/tmp/musefs-container-test, away from the
# machine's own, so that the next run is quick; remove that folder to begin anew.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../.." && pwd)
store=/var/tmp/musefs-container-test
base=docker.io/library/python:3.12-slim-bookworm
image=localhost/musefs-test
container=musefs-test-$$
export CONTAINERS_CONF=$here/containers.conf

say() { printf 'container-test: %s\n' "$*"; }

fail() {
    printf 'container-test: FAILED: %s\n' "$*" >&2
    exit 1
}

# Without systemd Podman logs an error for every timer of a health check: only fatal ones are shown.
podman=(podman --root "$store/images" --runroot "$store/run" --storage-driver overlay --log-level fatal)

on_podman() { "${podman[@]}" "$@"; }

install_tools() {
    local wanted=(podman buildah debootstrap runc netavark aardvark-dns iptables flac lame) missing=() package
    for package in "${wanted[@]}"; do
        if ! dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed; then
            missing+=("$package")
        fi
    done
    if [ ${#missing[@]} = 0 ]; then return; fi
    say "installing ${missing[*]}"
    apt-get -q update
    DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${missing[@]}"
}

# pip inside the build finds the registry and the certificate that the environment names; they are
# mounted while it builds, and no layer holds them.
write_pip_options() {
    local conf=$work/pip.conf
    printf '[global]\n' >"$conf"
    [ -z "${PIP_INDEX_URL:-}" ] || printf 'index-url = %s\n' "$PIP_INDEX_URL" >>"$conf"
    [ -z "${PIP_EXTRA_INDEX_URL:-}" ] || printf 'extra-index-url = %s\n' "$PIP_EXTRA_INDEX_URL" >>"$conf"
    [ -z "${PIP_TRUSTED_HOST:-}" ] || printf 'trusted-host = %s\n' "$PIP_TRUSTED_HOST" >>"$conf"
    [ -z "${PIP_PROXY:-}" ] || printf 'proxy = %s\n' "$PIP_PROXY" >>"$conf"
    [ -z "${PIP_DEFAULT_TIMEOUT:-}" ] || printf 'timeout = %s\n' "$PIP_DEFAULT_TIMEOUT" >>"$conf"
    build_options=(-v "$conf:/etc/pip.conf:ro")
    if [ -n "${PIP_CERT:-}" ]; then
        printf 'cert = /etc/pip-certificates.crt\n' >>"$conf"
        build_options+=(-v "$PIP_CERT:/etc/pip-certificates.crt:ro")
    fi
}

build() {
    say "base image"
    "$here/base.sh" "$base" "${podman[@]}"
    say "image"
    write_pip_options
    on_podman build --format docker --pull=never --network host "${build_options[@]}" \
        -f "$project/Dockerfile" -t "$image" "$project" >"$work/build.log" 2>&1 ||
        { tail -20 "$work/build.log" >&2; fail "the image cannot be built"; }
}

# Two albums, two formats, no two files alike.
make_music() {
    local album track file
    for album in 1 2; do
        mkdir -p "$work/music/album$album"
        for track in 1 2 3; do
            file=$work/music/album$album/$track
            head -c 400000 /dev/urandom | flac -s --force-raw-format --endian=little --sign=signed \
                --channels=2 --bps=16 --sample-rate=44100 -T "ARTIST=Artist" -T "ALBUM=Album $album" \
                -T "TITLE=Title $track" -T "TRACKNUMBER=$track" -o "$file.flac" -
        done
        head -c 400000 /dev/urandom | lame --quiet -r -s 44.1 --ta Artist --tl "Album $album" \
            --tt "Title 4" --tn 4 - "$work/music/album$album/4.mp3" 2>/dev/null
    done
    chmod -R go+rX "$work/music"
}

# The digests of the tracks below a folder, without their names: those come from the tags.
digests() {
    find "$1" -path '*/.musefs' -prune -o -type f \( -name '*.flac' -o -name '*.mp3' \) \
        -exec sha256sum {} + | cut -d' ' -f1 | sort
}

fingerprint() { (cd "$work/music" && find . -printf '%p %s %m %u %T@ ' -type f -exec sha256sum {} \; -o -printf '\n'); }

wait_for() {
    local seconds=$1 what=$2 end
    shift 2
    end=$((SECONDS + seconds))
    until "$@" >/dev/null 2>&1; do
        if [ $SECONDS -ge $end ]; then
            on_podman logs "$container" 2>&1 | tail -20 >&2
            fail "$what: not within $seconds s"
        fi
        sleep 0.2
    done
}

is_served() { [ "$(digests "$work/export/music")" = "$originals" ]; }

wait_until_served() {
    wait_for 30 "the container is healthy" on_podman healthcheck run "$container"
    wait_for 30 "the host sees every original through the mount" is_served
}

# The state is the volume that the image declares.
start() {
    on_podman run -d --name "$container" --read-only --cap-drop ALL --cap-add SYS_ADMIN \
        -e MUSEFS_MOUNT__MODE=structure-only -v "$work/music:/music:ro" \
        -v "$work/export:/export:rshared" "$@" "$image" >/dev/null
}

mounts_below_export() { awk -v below="$work/export/" 'index($5, below) == 1' /proc/self/mountinfo; }

stop_and_inspect() {
    local begin=$EPOCHREALTIME took_ms code
    on_podman stop -t 10 "$container" >/dev/null
    took_ms=$(((${EPOCHREALTIME/[^0-9]/} - ${begin/[^0-9]/}) / 1000))
    code=$(on_podman inspect -f '{{.State.ExitCode}}' "$container")
    [ "$code" = 0 ] || fail "the exit code after SIGTERM is $code"
    [ $took_ms -lt 5000 ] || fail "stopping took $took_ms ms"
    [ -z "$(mounts_below_export)" ] || fail "the host keeps a mount: $(mounts_below_export)"
    say "stopped in $took_ms ms, exit code 0, nothing left mounted"
}

clean_up() {
    on_podman rm -f -v -t 2 "$container" >/dev/null 2>&1 || :
    local mounted
    for mounted in $(mounts_below_export | awk '{print $5}'); do umount -l "$mounted" || :; done
    if mountpoint -q "$work/export"; then umount -l "$work/export" || :; fi
    rm -rf --one-file-system "$work"
}

[ "$(id -u)" = 0 ] || fail "root is needed to see the container's mount: sudo make container-test"
[ -e /dev/fuse ] || fail "there is no /dev/fuse: load the kernel module fuse"
command -v apt-get >/dev/null || fail "no apt-get here: this test makes its images from Debian packages"
work=$(mktemp -d /var/tmp/musefs-container.XXXXXX)
chmod 755 "$work"
trap clean_up EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$store" "$work/export/music"
mount --bind "$work/export" "$work/export"
mount --make-rshared "$work/export"

install_tools
build
make_music
originals=$(digests "$work/music")
before=$(fingerprint)

start --security-opt no-new-privileges --device /dev/fuse
wait_until_served
say "healthy, $(wc -l <<<"$originals") tracks read through the mount are the originals"
stop_and_inspect

on_podman start "$container" >/dev/null
wait_until_served
on_podman kill -s KILL "$container" >/dev/null
on_podman wait "$container" >/dev/null
[ -n "$(mounts_below_export)" ] || fail "a kill -9 should leave a dead mount, else this proves nothing"
on_podman start "$container" >/dev/null
wait_until_served
say "the dead mount of a kill -9 was cleared by the next start"
stop_and_inspect
on_podman rm -v "$container" >/dev/null

# As a user: the device has to be open to all, as udev makes it.
mknod -m 666 "$work/fuse" c 10 229
chown -R 1000:1000 "$work/export"
start --user musefs --device "$work/fuse:/dev/fuse"
wait_until_served
say "the user musefs can mount too"
stop_and_inspect

on_podman image prune -f --filter until=24h >/dev/null # leftovers of earlier builds
[ "$(fingerprint)" = "$before" ] || fail "an original changed"
say "the originals are untouched: all is well"
