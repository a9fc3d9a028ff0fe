"""Which musefs a path means, and which path in its tree."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from musefs.cli.locating import find_entry
from musefs.cli.options import ServiceOptions
from musefs.errors import ServiceUnreachable
from musefs.mount import mountpoint as mountpoints
from musefs.mount.mountpoint import Mounted, source_name


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two mounts of musefs, one inside the other, and one of something else."""
    for name in ("mnt/inner", "else", "work"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "link").symlink_to("mnt/Ana")
    kinds = {"mnt": "fuse.musefs", "mnt/inner": "fuse.musefs", "else": "ext4"}
    mounts = [
        Mounted(source_name(tmp_path / f"{name} state"), tmp_path / name, kind)
        for name, kind in kinds.items()
    ]

    def found() -> Iterator[Mounted]:
        return iter(mounts)

    monkeypatch.setattr(mountpoints, "mounts", found)
    monkeypatch.setenv("MUSEFS_CONTROL__SOCKET", str(tmp_path / "default"))
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


@pytest.mark.parametrize(
    ("path", "state", "inside"),
    [
        ("{place}/mnt/Ana/01.flac", "mnt state", "Ana/01.flac"),
        ("../mnt/Ana//01.flac", "mnt state", "Ana/01.flac"),
        ("../mnt/Ana/../Bo", "mnt state", "Bo"),
        ("{place}/mnt", "mnt state", ""),
        ("../link/01.flac", "mnt state", "Ana/01.flac"),
        ("../mnt/inner/x", "mnt/inner state", "x"),
    ],
)
def test_a_path_below_a_mountpoint_means_that_mount(
    place: Path, path: str, state: str, inside: str
) -> None:
    found = find_entry(ServiceOptions(), path.format(place=place))
    assert found == (place / state / "control.sock", inside)


def test_a_name_in_the_working_folder_is_below_its_mountpoint(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "mnt" / "Ana").mkdir()
    monkeypatch.chdir(place / "mnt" / "Ana")
    socket = place / "mnt state" / "control.sock"
    assert find_entry(ServiceOptions(), "01.flac") == (socket, "Ana/01.flac")
    assert find_entry(ServiceOptions(), ".") == (socket, "Ana")


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("Ana/01.flac", "Ana/01.flac"),
        ("/Ana//Blue/./", "Ana/Blue"),
        ("/", ""),
        ("~nobody-here/x", "~nobody-here/x"),
        ("~nobody-here/y/../x", "~nobody-here/x"),
    ],
)
def test_another_path_is_one_in_the_tree_of_the_musefs_that_is_named(
    place: Path, path: str, inside: str
) -> None:
    options = ServiceOptions(socket=place / "some.sock")
    assert find_entry(options, path) == (place / "some.sock", inside)
    options = ServiceOptions(mountpoint=place / "mnt")
    assert find_entry(options, path) == (place / "mnt state" / "control.sock", inside)


def test_without_a_name_several_mounts_are_too_many(place: Path) -> None:
    with pytest.raises(ServiceUnreachable, match="several libraries are mounted"):
        find_entry(ServiceOptions(), "Ana/01.flac")


def test_a_path_and_an_option_have_to_mean_the_same_musefs(place: Path) -> None:
    path = str(place / "mnt" / "a")
    socket = place / "mnt state" / "control.sock"
    socket.parent.mkdir()
    socket.symlink_to(place / "elsewhere.sock")
    for options in (
        ServiceOptions(mountpoint=place / "mnt"),
        ServiceOptions(socket=place / "elsewhere.sock"),
    ):
        assert find_entry(options, path)[1] == "a"
    with pytest.raises(ServiceUnreachable, match="is not the musefs at"):
        find_entry(ServiceOptions(mountpoint=place / "mnt" / "inner"), path)
    with pytest.raises(typer.BadParameter, match="name the musefs once"):
        find_entry(ServiceOptions(socket=socket, mountpoint=place / "mnt"), path)
