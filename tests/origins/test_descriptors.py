"""Descriptors are kept, bounded, and closed only when nobody uses them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from origins.descriptors import Descriptors


def opened(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY)


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def test_one_in_use_outlives_its_eviction(tmp_path: Path) -> None:
    descriptors = Descriptors(1)
    first = descriptors.keep(("a", "1"), opened(tmp_path))
    second = descriptors.keep(("b", "1"), opened(tmp_path))
    assert descriptors.borrow(("a", "1")) is None
    assert is_open(first.fd)
    descriptors.give_back(first)
    assert not is_open(first.fd)
    descriptors.give_back(second)
    assert is_open(second.fd)
    descriptors.close()
    assert not is_open(second.fd)


def test_two_that_open_the_same_file_share_the_first(tmp_path: Path) -> None:
    descriptors = Descriptors(4)
    first = descriptors.keep(("a", "1"), opened(tmp_path))
    second = descriptors.keep(("a", "1"), opened(tmp_path))
    assert descriptors.borrow(("a", "1")) is first
    descriptors.give_back(second)
    assert not is_open(second.fd)
    assert repr(descriptors) == "<Descriptors 1 open of 4>"
    descriptors.close()


def test_what_is_idle_for_long_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now_s)
    descriptors = Descriptors(4)
    for name in ("old", "young"):
        descriptors.give_back(descriptors.keep((name, "1"), opened(tmp_path)))
        now_s += 10
    descriptors.close_idle(15)
    assert descriptors.borrow(("old", "1")) is None
    young = descriptors.borrow(("young", "1"))
    assert young is not None
    descriptors.close()
    assert is_open(young.fd)
    descriptors.give_back(young)
    assert not is_open(young.fd)


def test_after_the_end_nothing_is_kept(tmp_path: Path) -> None:
    descriptors = Descriptors(4)
    descriptors.close()
    late = descriptors.keep(("a", "1"), opened(tmp_path))
    descriptors.give_back(late)
    assert not is_open(late.fd)
