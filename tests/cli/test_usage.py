"""Wrong usage and wrong configurations: one line that says what to do, and the right exit code."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.cli.conftest import Run, complaint


def test_the_version_is_told(musefs: Run) -> None:
    done = musefs("--version")
    assert (done.returncode, done.stdout) == (0, f"musefs {version('musefs')}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("juggle",),
        ("mount", "only-one"),
        ("mount", "a", "b", "--mode", "sideways"),
        ("scan",),
        ("status", "one", "--socket", "two"),
        ("shutdown", "--drain", "-1"),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2(musefs: Run, arguments: tuple[str, ...]) -> None:
    done = musefs(*arguments)
    assert done.returncode == 2
    assert "Usage: musefs" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "origins: [{id: a, kind: local, path: .}]\nstat: x\n",
            ":2: stat: unknown key; did you mean",
        ),
        (
            "origins: [{id: a, kind: local, path: .}]\ncache:\n  disk: 3 parsecs\n",
            ":3: cache.disk:",
        ),
        ('origins: [{id: a, kind: local, path: .}]\ntree: {template: "$"}\n', ": tree.template:"),
        (
            "origins: [{id: a, kind: local, path: .}]\ntree: {views: {by-year: '['}}\n",
            ": tree.views.by-year: position 1:",
        ),
    ],
    ids=["unknown key", "bad unit", "bad template", "bad view"],
)
@pytest.mark.parametrize("command", ["check", "scan", "fsck", "status"])
def test_a_wrong_configuration_names_its_place(
    musefs: Run, tmp_path: Path, command: str, text: str, told: str
) -> None:
    path = tmp_path / "musefs.yaml"
    path.write_text(text)
    assert complaint(musefs(command, path)).startswith(f"{path}{told}")


def test_a_missing_configuration_is_told(musefs: Run) -> None:
    assert complaint(musefs("scan", "none.yaml")).startswith("none.yaml: no such file")


def test_a_folder_is_no_configuration(musefs: Run, tmp_path: Path) -> None:
    assert "is a folder" in complaint(musefs("check", tmp_path))


def test_the_environment_wins_over_the_file(musefs: Run, config: Path) -> None:
    done = musefs("check", config, MUSEFS_CACHE__DISK="a lot")
    assert complaint(done).startswith("MUSEFS_CACHE__DISK: cache.disk:")


def test_a_template_of_the_command_line_is_checked_first(musefs: Run) -> None:
    done = musefs("mount", "nowhere", "mnt", "--template", "$artist/[$title")
    assert complaint(done).startswith("--template: position 9:")


def test_a_check_of_a_good_configuration_says_what_it_found(musefs: Run, config: Path) -> None:
    done = musefs("check", config)
    assert done.returncode == 0
    assert done.stdout.splitlines()[2:] == ["origin nas (local): ok", "origin attic (local): ok"]


def test_a_check_names_the_origin_that_cannot_be_reached(musefs: Run, config: Path) -> None:
    (config.parent / "second").rmdir()
    done = musefs("check", config)
    assert done.returncode == 1
    assert "origin nas (local): ok\n" in done.stdout
    assert f"{config.parent}/second' cannot be reached" in done.stdout.splitlines()[-1]
    answer = json.loads(musefs("check", config, "--json").stdout)
    assert answer["ok"] is False
    assert [bool(origin["error"]) for origin in answer["origins"]] == [False, True]


def test_no_running_musefs_is_told_with_the_place_that_was_looked_at(
    musefs: Run, config: Path
) -> None:
    for arguments in (("status",), ("rescan",), ("shutdown",)):
        text = complaint(musefs(*arguments, "--config", config))
        assert text.startswith(f"{config.parent}/state/control.sock: no musefs runs here")
    assert complaint(musefs("status", "--socket", "x")).startswith("x: no musefs runs here")


def test_a_folder_where_nothing_is_mounted_is_told(musefs: Run, tmp_path: Path) -> None:
    for command in ("status", "shutdown", "unmount"):
        assert complaint(musefs(command, tmp_path)).startswith(f"{tmp_path}: nothing is mounted")


def test_a_mount_that_is_no_musefs_is_left_alone(musefs: Run) -> None:
    for command in ("status", "shutdown", "unmount"):
        assert "is mounted here, no musefs" in complaint(musefs(command, "/proc"))


@pytest.mark.parametrize(
    ("mountpoint", "told"),
    [
        ("second", "would hide"),
        ("second/deeper", "lies inside"),
        (".", "would hide"),
        ("state", "would hide"),
        ("state/mnt", "lies inside"),
        ("link/mnt", "lies inside"),
    ],
)
def test_a_mountpoint_that_overlaps_is_refused(
    musefs: Run, config: Path, mountpoint: str, told: str
) -> None:
    (config.parent / "link").symlink_to("second")
    assert told in complaint(musefs("mount", config, mountpoint, "--background"))
    assert not (config.parent / "state").exists()


def test_a_mount_in_the_background_that_fails_says_why(musefs: Run, config: Path) -> None:
    done = musefs("mount", config, "nowhere", "--background")
    text = complaint(done)
    assert "there is no such folder" in text or "/dev/fuse is missing" in text
    assert done.stdout == ""
    log = (config.parent / "state" / "musefs.log").read_text()
    assert text in log


def test_a_mount_in_the_foreground_that_fails_says_why(musefs: Run, config: Path) -> None:
    text = complaint(musefs("mount", config, "nowhere", MUSEFS_LOG__LEVEL="error"))
    assert "there is no such folder" in text or "/dev/fuse is missing" in text


def test_a_socket_path_that_is_too_long_names_its_setting(musefs: Run, config: Path) -> None:
    (config.parent / "mnt").mkdir()
    long = config.parent / ("long" * 30)
    done = musefs("mount", config, "mnt", MUSEFS_CONTROL__SOCKET=str(long))
    assert complaint(done).startswith(f"control.socket: {long} has")
