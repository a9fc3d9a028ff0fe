"""The state folder: who has it, and how it was left."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from musefs.errors import MusefsError, StateBroken, StateInUse
from musefs.state import claim, is_claimed

CLAIM_AND_WAIT = """\
import sys, time
from pathlib import Path
from musefs.state import claim
held = claim(Path(sys.argv[1]), "mount at /mnt/music")
print("claimed", flush=True)
time.sleep(60)
"""


def refusal(path: Path, kind: type[MusefsError]) -> str:
    with pytest.raises(kind) as caught:
        claim(path, "test")
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    return text


def test_a_state_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    state = claim(folder, "test")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "lock").stat().st_mode) == 0o600
    assert (state.path, state.unclean) == (folder, False)
    assert (state.catalogue, state.chunks) == (folder / "catalogue.db", folder / "chunks")
    state.release(clean=True)


def test_a_second_claim_names_who_has_it(tmp_path: Path) -> None:
    state = claim(tmp_path, "mount at /mnt/music")
    text = refusal(tmp_path, StateInUse)
    assert f"process {os.getpid()} (mount at /mnt/music)" in text
    assert is_claimed(tmp_path)
    state.release(clean=True)
    assert not is_claimed(tmp_path)
    claim(tmp_path, "test").release(clean=True)


def test_another_process_is_named_and_its_death_gives_the_folder_back_as_unclean(
    tmp_path: Path,
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CLAIM_AND_WAIT, str(tmp_path)], stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"claimed\n"
        assert f"process {other.pid} (mount at /mnt/music)" in refusal(tmp_path, StateInUse)
        other.send_signal(signal.SIGKILL)
        other.wait(10)
    assert not is_claimed(tmp_path)
    state = claim(tmp_path, "test")
    assert state.unclean
    state.release(clean=True)
    state = claim(tmp_path, "test")
    assert not state.unclean
    state.release(clean=True)


def test_an_end_that_was_not_clean_is_remembered(tmp_path: Path) -> None:
    claim(tmp_path, "test").release(clean=False)
    state = claim(tmp_path, "test")
    assert state.unclean
    state.release(clean=True)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"7", b'{"pid": 1}', b"\xff\xfe"])
def test_a_lock_file_that_says_nothing_still_locks(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "lock").write_bytes(text)
    with (tmp_path / "lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "in use by another process" in refusal(tmp_path, StateInUse)


def test_a_lock_file_tells_of_its_present_holder_alone(tmp_path: Path) -> None:
    claim(tmp_path, "a purpose that takes many words to tell").release(clean=True)
    state = claim(tmp_path, "short")
    assert "(short)" in refusal(tmp_path, StateInUse)
    state.release(clean=True)


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    assert "cannot be used" in refusal(tmp_path / "state", StateBroken)
    assert "cannot be used" in refusal(tmp_path / "state" / "below", StateBroken)
    assert not is_claimed(tmp_path / "state")


def test_a_folder_in_the_place_of_the_lock_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    assert "cannot be used" in refusal(tmp_path, StateBroken)


def test_a_mark_that_cannot_be_made_is_refused_and_the_lock_given_back(tmp_path: Path) -> None:
    (tmp_path / "running").symlink_to("nowhere/at/all")
    assert "No such file" in refusal(tmp_path, StateBroken)
    assert not is_claimed(tmp_path)


def test_a_place_where_nothing_can_be_made_is_refused() -> None:
    assert "cannot be used" in refusal(Path("/proc/musefs"), StateBroken)


def test_a_folder_that_vanished_can_still_be_released(tmp_path: Path) -> None:
    state = claim(tmp_path / "state", "test")
    for entry in (tmp_path / "state").iterdir():
        entry.unlink()
    (tmp_path / "state").rmdir()
    state.release(clean=True)
    assert not is_claimed(tmp_path / "state")
