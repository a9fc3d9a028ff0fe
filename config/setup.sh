#!/bin/sh
# Makes this folder ready for work: the system's packages that are missing, then .venv with musefs in it.
# Asks for nothing that is there already, so a second run needs no network, no root and no time.
# The environment's own settings (PYTHON, PIP_*, certificates, proxies) are used as they are.
set -eu
cd "$(dirname "$0")/.."

packages='' # the missing ones, by Debian's names
venv=.venv
stamp=$venv/.musefs-setup

fail() {
    printf 'setup: %s\n' "$1" >&2
    exit 1
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for python in ${PYTHON:-} python3 python3.11 python3.12 python3.13; do
        if is_new_enough "$python"; then return; fi
    done
    fail 'no Python >= 3.11 found: install one (apt-get install python3), or name it: make setup PYTHON=...'
}

# need PACKAGE PROBE...: the package is missing when the probe fails.
need() {
    package=$1
    shift
    if ! "$@" >/dev/null 2>&1; then packages="$packages $package"; fi
}

has() { command -v "$1"; }

compiles() { printf '#include <stdio.h>\n' | cc -E -; }

makes_environments() { "$python" -c 'import ensurepip, venv'; }

has_headers() {
    "$python" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))'
}

# What is looked for is what is used (a command, a header), whoever installed it.
find_missing() {
    PATH=$PATH:/usr/sbin:/sbin # sshd is there, and not in the PATH of ordinary users
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    need fuse3 has fusermount3
    need pkg-config has pkg-config
    need libfuse3-dev pkg-config --exists fuse3
    need gcc has cc
    need libc6-dev compiles
    need "python$version-venv" makes_environments
    need "python$version-dev" has_headers
    need openssh-server has sshd
    need ffmpeg has ffmpeg
    need flac has flac
    need lame has lame
    need vorbis-tools has oggenc
    need opus-tools has opusenc
    need sox has sox
    need musepack-tools has mpcenc
    need mpd has mpd
    need mpc has mpc
    need attr has getfattr
    need kid3-cli has kid3-cli
    need libimage-exiftool-perl has exiftool
    need mp3val has mp3val
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# The tests start their own sshd and mpd: a package's daemon must not run because of them, neither
# now (policy-rc.d answering 101, see invoke-rc.d(8)) nor after the next boot.
policy=/usr/sbin/policy-rc.d

forbid_daemons() {
    if [ -e "$policy" ]; then return; fi
    trap 'as_root rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
}

disable_daemons() {
    if ! command -v systemctl >/dev/null; then return; fi
    case " $packages " in *' openssh-server '*) units='ssh.service ssh.socket' ;; *) units='' ;; esac
    case " $packages " in *' mpd '*) units="$units mpd.service mpd.socket" ;; esac
    for unit in $units; do # not every release has them all
        as_root systemctl disable "$unit" >/dev/null 2>&1 || :
    done
}

install_packages() {
    if [ -z "$packages" ]; then return; fi
    command -v apt-get >/dev/null ||
        fail "no apt-get here: install by hand what Debian calls$packages, then run make setup again"
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
        fail "neither root nor sudo: let root run: apt-get install$packages"
    printf 'setup: installing%s\n' "$packages"
    forbid_daemons
    as_root apt-get -q update || fail 'apt-get update failed: see its message above'
    # shellcheck disable=SC2086 # one word per package
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends $packages ||
        fail "apt-get could not install$packages: see its message above"
    disable_daemons
}

# What the environment was made from; the folder too, because scripts in it name their interpreter.
recipe() {
    pwd
    cksum pyproject.toml config/constraints.txt
}

make_environment() {
    if [ -x $venv/bin/musefs ] && is_new_enough $venv/bin/python &&
        [ "$(recipe)" = "$(cat $stamp 2>/dev/null)" ]; then return; fi
    if ! is_new_enough $venv/bin/python || ! $venv/bin/python -m pip --version >/dev/null 2>&1; then
        "$python" -m venv --clear $venv || fail "$python could not make $venv: see its message above"
    fi
    rm -f $stamp
    $venv/bin/python -m pip install -q -e '.[dev]' -c config/constraints.txt ||
        fail 'pip failed: see its message above (PIP_* variables name another registry or certificate)'
    recipe >$stamp
}

find_python
find_missing
install_packages
make_environment
printf 'setup: ready, %s is there\n' $venv/bin/musefs
