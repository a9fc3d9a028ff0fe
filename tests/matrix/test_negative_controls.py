"""The checks of the matrix can fail: without a correction, or a byte off, they do."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from musefs.layout import ogg_pages
from musefs.layout.segments import Backing, Layout, Pages, Segment
from tests.lab.decoding import complaints, decoded, pcm_md5
from tests.lab.readers import READERS
from tests.lab.readers.shown import FAMILIES
from tests.lab.readers.sights import sight_of
from tests.lab.served import Change, Retagged, materialise, retag
from tests.matrix.changes import CHANGES, NEW_TEXT
from tests.matrix.originals import ORIGINAL_NAMES, original_format, originals

MP4 = import_module("musefs.layout.synthesis.mp4")  # the package has a function of that name
WITH_COVER = CHANGES["text_jpeg"]


def sounds_the_same(folder: Path, name: str) -> bool:
    """Whether the served file decodes to what the original decodes to."""
    path = served(folder, name, retag(originals()[name], WITH_COVER).materialise())
    return pcm_md5(path) == pcm_md5(originals()[name])


def served(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", ["first.m4a", "co64_first.m4a", "fragments.m4a"])
def test_with_all_corrections_the_controls_sound_the_same(tmp_path: Path, name: str) -> None:
    assert sounds_the_same(tmp_path, name)


@pytest.mark.parametrize("name", ["first.m4a", "co64_first.m4a"])
def test_chunk_offsets_that_stay_are_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(MP4, "moved_chunks", lambda *_: [])
    assert not sounds_the_same(tmp_path, name)


def test_base_offsets_of_fragments_that_stay_are_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MP4, "moved_fragments", lambda *_: [])
    assert not sounds_the_same(tmp_path, "fragments.m4a")


@pytest.mark.parametrize("name", ["vorbis.ogg", "opus.opus", "flac.oga"])
def test_pages_that_keep_their_numbers_are_complained_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    good = served(tmp_path, name, retag(originals()[name], WITH_COVER).materialise())
    assert complaints(good) == ()
    monkeypatch.setattr(ogg_pages, "patched", lambda old, *_: old)
    made = retag(originals()[name], WITH_COVER)
    assert any(isinstance(segment, Pages) for segment in made.layout.segments)
    assert is_faulted(served(tmp_path, name, made.materialise()), name)
    monkeypatch.undo()
    same_numbers = Layout(tuple(map(with_old_numbers, made.layout.segments)))
    data = materialise(same_numbers, made.original, made.pictures)
    assert is_faulted(served(tmp_path, name, data), name)


def with_old_numbers(segment: Segment) -> Segment:
    return Backing(segment.offset, segment.length) if isinstance(segment, Pages) else segment


def is_faulted(path: Path, name: str) -> bool:
    """Whether the decoder or a checker finds fault that it does not find with the original."""
    original = originals()[name]
    found, before = decoded(path), decoded(original)
    return (
        found.pcm_md5 != before.pcm_md5
        or set(found.complaints) > set(before.complaints)
        or set(complaints(path)) > set(complaints(original))
    )


@pytest.mark.parametrize("name", ORIGINAL_NAMES)
def test_audio_that_is_a_byte_off_is_heard(tmp_path: Path, name: str) -> None:
    made = retag(originals()[name], CHANGES["text"])
    ranges = [part for part in made.layout.segments if isinstance(part, Backing | Pages)]
    longest = max(ranges, key=lambda part: part.length)
    wrong: Segment = Backing(longest.offset + 1, longest.length - 1)
    segments = [wrong if part is longest else part for part in made.layout.segments]
    data = materialise(Layout(tuple(segments)), made.original, made.pictures)
    path = served(tmp_path, name, data)
    assert pcm_md5(path) != pcm_md5(originals()[name])


@pytest.mark.parametrize("name", ["plain.flac", "v24.mp3", "last.m4a", "windows.wma", "monkey.ape"])
@pytest.mark.parametrize("reader", READERS)
def test_a_single_wrong_field_is_seen(tmp_path: Path, reader: str, name: str) -> None:
    sight = sight_of(reader, originals()[name].suffix, FAMILIES[original_format(name)])
    assert sight is not None
    path = served(tmp_path, name, text_with(name, {"album": ("Another",)}).materialise())
    shown = READERS[reader]([path])[path].fields
    expected = sight.of(NEW_TEXT)
    assert [
        field
        for field in NEW_TEXT
        if not sight.same(field, expected.get(field, ()), shown.get(field, ()))
    ] == ["album"]


def text_with(name: str, other: dict[str, tuple[str, ...]]) -> Retagged:
    return retag(originals()[name], Change(lambda _: {**NEW_TEXT, **other}))
