"""Indexing without a mount, and what is known of the library afterwards."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from musefs.state import claim
from tests.cli.conftest import TRACKS, Run, clean_environment, complaint
from tests.lab.mounting import write_config


def test_a_scan_tells_what_it_found(musefs: Run, config: Path) -> None:
    done = musefs("scan", config)
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first.startswith("nas: ")
    assert first.endswith(" inspected, 0 failed, 0 removed")
    assert second == "attic: 0 files, 0 inspected, 0 failed, 0 removed"
    assert done.stderr == ""


def test_a_scan_with_files_that_fail_ends_with_2_and_names_them(musefs: Run, config: Path) -> None:
    (config.parent / "second" / "empty\n\x1b[2J.flac").touch()
    done = musefs("scan", config, "--origin", "attic")
    assert done.returncode == 2
    assert done.stdout.splitlines() == [
        "attic: 1 files, 1 inspected, 1 failed, 0 removed",
        "  attic: empty\\n\\x1b[2J.flac: is empty",
    ]


def test_a_scan_in_json_has_counts_and_failures(musefs: Run, config: Path) -> None:
    Path(os.fsdecode(os.fsencode(config.parent / "second") + b"/caf\xe9.flac")).touch()
    done = musefs("scan", config, "--json", "--origin", "attic")
    assert done.returncode == 2
    answer = json.loads(done.stdout)
    assert answer["origins"][0]["failed"] == 1
    assert answer["failures"][0]["path"] == "caf\udce9.flac"


def test_an_unchanged_library_is_not_inspected_again_unless_asked(
    musefs: Run, scanned: Path
) -> None:
    counts = []
    # The first of them makes up for heads that were not to be kept when it was indexed.
    for more in ([], [], ["--full"]):
        done = musefs("scan", scanned, "--json", "--origin", "nas", *more)
        counts.append(json.loads(done.stdout)["origins"][0]["inspected"])
    assert counts[1] == 0
    assert counts[0] == counts[2] >= TRACKS


def test_an_unknown_origin_is_told_with_those_there_are(musefs: Run, config: Path) -> None:
    text = complaint(musefs("scan", config, "--origin", "cellar"))
    assert "cellar" in text
    assert "nas, attic" in text


def test_an_origin_that_is_gone_is_an_error(musefs: Run, scanned: Path) -> None:
    (scanned.parent / "second").rmdir()
    done = musefs("scan", scanned)
    assert "attic" in complaint(done)
    assert done.stdout.startswith("nas: ")


def test_a_scan_of_a_library_in_use_says_who_has_it(musefs: Run, config: Path) -> None:
    state = claim(config.parent / "state", "a test")
    try:
        text = complaint(musefs("scan", config))
    finally:
        state.release(clean=True)
    assert f"in use by process {os.getpid()} (a test)" in text


def test_a_dry_run_shows_the_first_paths_and_mounts_nothing(musefs: Run, config: Path) -> None:
    (config.parent / "mnt").mkdir()
    done = musefs("mount", config, "mnt", "--dry-run", "--template", "$genre/$track $title")
    assert done.returncode == 0, done.stderr
    paths = done.stdout.splitlines()
    assert TRACKS <= len(paths) <= 20
    assert paths[0].startswith("/Jazz/01 ")


def test_a_quick_start_needs_no_configuration(musefs: Run, music: Path) -> None:
    done = musefs("mount", music, "mnt", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) >= TRACKS


def test_an_interrupted_scan_is_quiet_and_ends_with_130(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(20)
        origin = {
            "id": "bucket",
            "kind": "s3",
            "bucket": "music",
            "endpoint": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "access_key": {"env": "LAB_KEY"},
            "secret_key": {"env": "LAB_KEY"},
        }
        config = write_config(
            tmp_path / "musefs.yaml", {"state": str(tmp_path / "state"), "origins": [origin]}
        )
        scan = subprocess.Popen(
            [sys.executable, "-m", "musefs", "scan", str(config)],
            env=clean_environment(tmp_path) | {"LAB_KEY": "key"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            asked, _ = silent.accept()
            with asked:
                scan.send_signal(signal.SIGINT)
                out, errors = scan.communicate(timeout=20)
        finally:
            if scan.poll() is None:
                scan.kill()
                scan.communicate()
    assert (scan.returncode, out, errors) == (130, b"", b"")


def first_track(musefs: Run, config: Path) -> str:
    return musefs("mount", config, "mnt", "--dry-run").stdout.splitlines()[0]


def test_why_tells_all_about_a_track(musefs: Run, scanned: Path, music: Path) -> None:
    path = first_track(musefs, scanned)
    answer = json.loads(musefs("why", scanned, path, "--json").stdout)
    assert answer["path"] == path
    assert answer["kind"] == "track"
    assert answer["track"]["tags"]["title"][0] in path
    content = answer["content"]
    [replica] = content["replicas"]
    assert (replica["origin"], replica["priority"], replica["failure"]) == ("nas", 10, None)
    assert (music / replica["path"]).stat().st_size == content["size"] == answer["size"]
    assert 0 <= content["audio_start"] < content["audio_end"] <= content["size"]
    assert sum(segment["length"] for segment in content["layout"]) == answer["size"]
    assert content["cacheable"] is True
    # Its head and tail are kept near from the moment it is indexed.
    assert 0 < content["cached_chunks"] <= content["chunks"]
    assert 0 < content["cached_bytes"] <= content["size"]


def test_why_for_people_has_a_line_for_each_fact(musefs: Run, scanned: Path) -> None:
    done = musefs("why", scanned, first_track(musefs, scanned))
    assert done.returncode == 0, done.stderr
    names = [line.split()[0] for line in done.stdout.splitlines()]
    for name in ("path", "inode", "track", "title", "content", "audio", "replica", "layout"):
        assert name in names
    assert names[-1] == "cached"


def test_why_answers_while_somebody_has_the_library(musefs: Run, scanned: Path) -> None:
    path = first_track(musefs, scanned)
    state = claim(scanned.parent / "state", "a test")
    try:
        done = musefs("why", scanned, path)
    finally:
        state.release(clean=True)
    assert done.returncode == 0, done.stderr


def test_why_of_a_folder_counts_its_entries(musefs: Run, scanned: Path) -> None:
    answer = json.loads(musefs("why", scanned, "/", "--json").stdout)
    assert (answer["kind"], answer["inode"], answer["content"]) == ("folder", 1, None)
    assert answer["entries"] >= 1


@pytest.mark.parametrize("path", ["/nowhere.flac", "/nowhere/deep"])
def test_why_of_nothing_says_so(musefs: Run, scanned: Path, path: str) -> None:
    assert "no such file or folder in the tree" in complaint(musefs("why", scanned, path))


def test_why_and_fsck_of_a_library_that_was_never_scanned_say_so(musefs: Run, config: Path) -> None:
    for arguments in (("why", config, "/"), ("fsck", config)):
        assert "there is no catalogue yet" in complaint(musefs(*arguments))
    assert not (config.parent / "state").exists()
