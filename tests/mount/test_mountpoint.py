"""Mountpoints: what the kernel's list says, what can be mounted on, what cannot be unmounted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musefs.errors import MountFailed
from musefs.mount import mountpoint
from musefs.mount.mountpoint import (
    Mounted,
    abort_connection,
    detach,
    is_stale,
    mounted_at,
    mounts,
    prepare,
    source_name,
)
from musefs.state import claim

LINES = (
    b"sysfs /sys sysfs rw,nosuid 0 0\n"
    b"musefs:/state /mnt/a\\040b\\011c\\012d\\134e fuse.musefs ro,user_id=0 0 0\n"
    b"musefs:/my%2Cstate%20x /mnt/caf\\303\\251\xff fuse.musefs ro 0 0\n"
    b"/dev/sda1 /mnt/\xe2\x80\xa8line\x0b\x0c\r\x1c\xc2\x85 ext4 rw 0 0\n"
    b"other /mnt/twice fuse.sshfs rw 0 0\n"
    b"musefs:/state /mnt/twice fuse.musefs ro 0 0\n"
)


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The kernel's list of mounts, a file of the test's own."""
    path = tmp_path / "mounts"
    path.write_bytes(LINES)
    monkeypatch.setattr(mountpoint, "_MOUNTS", path)
    return path


OWN_STATE = Path("/nowhere/state")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "mnt"
    path.mkdir()
    return path


def refusal(path: Path) -> str:
    with pytest.raises(MountFailed) as caught:
        prepare(path, OWN_STATE)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.usefixtures("listed")
def test_lines_of_the_list_are_read_with_their_escapes() -> None:
    assert [(mounted.path, mounted.kind) for mounted in mounts()] == [
        (Path("/sys"), "sysfs"),
        (Path("/mnt/a b\tc\nd\\e"), "fuse.musefs"),
        (Path(os.fsdecode(b"/mnt/caf\xc3\xa9\xff")), "fuse.musefs"),
        (Path("/mnt/\u2028line\x0b\x0c\r\x1c\x85"), "ext4"),
        (Path("/mnt/twice"), "fuse.sshfs"),
        (Path("/mnt/twice"), "fuse.musefs"),
    ]


@pytest.mark.usefixtures("listed")
def test_the_state_folder_is_read_from_mounts_of_musefs_alone() -> None:
    assert [mounted.state for mounted in mounts()] == [
        *(None, Path("/state"), Path("/my,state x"), None, None, Path("/state"))
    ]
    assert Mounted("/dev/fuse", Path("/a"), "fuse.musefs").state is None


@pytest.mark.usefixtures("listed")
def test_the_uppermost_of_two_mounts_counts() -> None:
    found = mounted_at(Path("/mnt/twice"))
    assert found is not None
    assert found.kind == "fuse.musefs"
    assert mounted_at(Path("/mnt")) is None


def test_the_list_of_this_machine_can_be_read() -> None:
    assert any(mounted.path == Path("/proc") for mounted in mounts())


@given(st.binary(min_size=1, max_size=40).filter(lambda raw: b"\0" not in raw))
def test_any_state_folder_can_be_read_back_from_the_source(raw: bytes) -> None:
    state = Path("/", os.fsdecode(raw).lstrip("/"))
    source = source_name(state)
    assert not set(source) & set(", \\\n\t#\"'")
    assert source.isascii()
    assert Mounted(source, Path("/mnt"), "fuse.musefs").state == state


def test_an_empty_folder_will_do(folder: Path) -> None:
    prepare(folder, OWN_STATE)
    assert list(folder.iterdir()) == []


def test_a_folder_with_files_is_refused(folder: Path) -> None:
    (folder / "a.flac").write_text("")
    assert "not empty (1 entries)" in refusal(folder)


def test_what_is_no_folder_is_refused(folder: Path) -> None:
    assert "mkdir -p" in refusal(folder / "gone")
    (folder / "file").write_text("")
    assert "not a folder" in refusal(folder / "file")
    (folder / "loop").symlink_to("loop")
    assert "symbolic links" in refusal(folder / "loop")


def test_a_folder_that_something_is_mounted_on_is_refused(listed: Path, folder: Path) -> None:
    for source, kind in (("nas:/music", "nfs4"), ("musefs:/state", "fuse.musefs")):
        listed.write_text(f"{source} {folder} {kind} rw 0 0\n")
        text = refusal(folder)
        assert f"{source} ({kind}) is mounted here already" in text
        assert f"musefs unmount {folder}" in text


def test_a_kernel_without_fuse_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mountpoint, "FUSE_DEVICE", Path("/dev/fuse-is-not-here"))
    assert "modprobe fuse" in refusal(folder)


def test_a_stale_mount_is_cleared_first(
    listed: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed.write_text(f"musefs:/state {folder} fuse.musefs ro 0 0\n")
    monkeypatch.setattr(mountpoint, "is_stale", lambda mounted, state: True)
    monkeypatch.setattr(mountpoint, "detach", lambda path: listed.write_text(""))
    prepare(folder, OWN_STATE)
    assert listed.read_text() == ""


def test_a_mount_whose_lock_is_held_is_not_stale(folder: Path, tmp_path: Path) -> None:
    state = claim(tmp_path / "state", "test")
    held = Mounted(source_name(state.path), folder, "fuse.musefs")
    assert not is_stale(held, OWN_STATE)
    state.release(clean=True)


def test_a_mount_that_answers_is_not_stale(folder: Path) -> None:
    assert not is_stale(Mounted(source_name(OWN_STATE), folder, "fuse.musefs"), OWN_STATE)
    assert not is_stale(Mounted("nas:/music", folder, "nfs4"), OWN_STATE)


def test_what_is_not_mounted_cannot_be_unmounted(folder: Path) -> None:
    with pytest.raises(MountFailed) as caught:
        detach(folder)
    text = str(caught.value)
    assert f"{folder}: cannot unmount (" in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'it is busy' >&2; echo more >&2; exit 1", "it is busy"),
        ("exit 1", "refused"),
        ("exec sleep 30", "timed out"),
    ],
)
def test_commands_that_fail_are_told_with_their_reasons(
    folder: Path, monkeypatch: pytest.MonkeyPatch, script: str, reason: str
) -> None:
    command = folder / "umount"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/bin")
    monkeypatch.setattr(mountpoint, "_UNMOUNT_TIMEOUT_S", 0.3)
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(MountFailed) as caught:
        detach(Path("/mnt/x"))
    assert reason in str(caught.value)
    assert "more" not in str(caught.value)


def test_a_command_that_works_is_enough(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = folder / "fusermount3"
    command.write_text(f'#!/bin/sh\necho "$@" > {folder}/called\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")
    detach(Path("/mnt/x"))
    assert (folder / "called").read_text() == "-u -z /mnt/x\n"


def test_commands_that_are_not_installed_are_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(MountFailed, match="umount"):
        detach(Path("/mnt/x"))


def test_a_connection_that_is_not_there_cannot_be_cut_off() -> None:
    with pytest.raises(OSError, match="connections"):
        abort_connection(os.makedev(0, 1 << 19))
