"""Re-tagged Ogg files, as musefs, mutagen and the codecs' own tools see them."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from io import BytesIO
from pathlib import Path

import pytest

from musefs.layout import ogg_pages
from musefs.layout.formats import Format
from musefs.layout.ogg_headers import ogg_headers
from musefs.layout.ogg_pages import PAGE_HEAD_BYTES, is_sound, page_heads
from musefs.layout.picture_text import MirroredTexts
from musefs.layout.ranged import in_memory
from musefs.layout.reading import TagReading
from musefs.layout.segments import ArtText, Backing, Layout, Pages, Segment, Synthesised
from musefs.layout.stored_layout import restored, stored
from musefs.layout.synthesis import ogg_comments
from musefs.layout.synthesis.ogg import ogg
from musefs.layout.synthesis.ogg_packets import Headers, header_packets
from musefs.layout.synthesis.ogg_padding import PADDING_BYTES_MAX
from musefs.layout.tags import Tags, from_vorbis
from musefs.layout.wish import PADDING_BYTES_MIN, Wish
from tests.layout.synthesis.ogg_files import (
    CLASSES,
    bytes_of,
    complaints,
    given_cover,
    large_art,
    make,
    ogg_files,
    raw_comments,
    read,
    remade,
    served,
)
from tests.layout.synthesis.retagging import LYRICS, TEXT, pcm_digest

WISHES = ("no change", "new text", "new cover", "bare", "lyrics", "no tags")
FILES = tuple(sorted(ogg_files()))
SUFFIXES = {Format.VORBIS: ".ogg", Format.OPUS: ".opus", Format.OGGFLAC: ".oga"}
TEXT_BYTES_MAX = 4_000


@dataclass(frozen=True)
class Made:
    """A file that was made, and what from."""

    kind: Format
    original: bytes
    wish: Wish
    layout: Layout
    asked: list[tuple[int, int]]
    data: bytes


def wish_of(name: str, reading: TagReading) -> Wish:
    lyrics = {**reading.tags, "lyrics": (LYRICS.strip(),)}
    tags: Tags = {"new text": TEXT, "new cover": TEXT, "no tags": {}, "lyrics": lyrics}.get(
        name, reading.tags
    )
    cover = given_cover() if name == "new cover" else None
    return Wish(tags, reading.pictures, cover, bare=name == "bare")


@cache
def made(file: str, wish: str) -> Made:
    found = ogg_files()[file]
    wished = wish_of(wish, read(found.kind, found.data))
    layout, asked = make(found.data, wished)
    return Made(found.kind, found.data, wished, layout, asked, served(layout, found.data))


@cache
def original_digest(file: str, folder: Path) -> str:
    found = ogg_files()[file]
    return pcm_digest(found.data, folder, SUFFIXES[found.kind])


every_case = pytest.mark.parametrize(
    ("file", "wish"), [(file, wish) for file in FILES for wish in WISHES]
)


@every_case
def test_it_reads_back_as_wished(file: str, wish: str) -> None:
    case = made(file, wish)
    found = read(case.kind, case.data)
    assert found.tags == case.wish.tags
    kept = [(p.kind, p.length) for p in case.wish.embedded if case.wish.keeps(p.kind)]
    new = [(3, case.wish.cover.length)] if case.wish.cover else []
    assert [(p.kind, p.length) for p in found.pictures] == kept + new
    by_mutagen = CLASSES[case.kind](BytesIO(case.data))
    assert from_vorbis(by_mutagen.tags) == case.wish.tags
    assert len(by_mutagen.tags.get("metadata_block_picture", [])) == len(found.pictures)
    assert abs(by_mutagen.info.length - 3) < 0.01


@every_case
def test_tools_find_nothing_bad_and_the_sound_is_the_same(
    file: str, wish: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    case = made(file, wish)
    path = tmp_path / f"served{SUFFIXES[case.kind]}"
    path.write_bytes(case.data)
    assert complaints(case.kind, path) == []
    wanted = original_digest(file, tmp_path_factory.getbasetemp())
    assert pcm_digest(case.data, tmp_path, SUFFIXES[case.kind]) == wanted
    heads = list(page_heads(case.data, 0, None))
    assert [head.sequence for head in heads] == list(range(len(heads)))
    assert all(is_sound(case.data, head) for head in heads)


def padding_of(case: Made) -> int:
    packets = header_packets(in_memory(case.data)).packets
    padded = packets[-1 if case.kind is Format.OGGFLAC else 0].data
    return len(padded) - len(padded.rstrip(b"\0"))


@every_case
def test_pictures_are_ranges(file: str, wish: str) -> None:
    case = made(file, wish)
    headers = header_packets(in_memory(case.original))
    parts = case.layout.segments
    kept = sum(p.length * 4 // 3 for p in case.wish.embedded if case.wish.keeps(p.kind))
    ranges = [s for s in parts if isinstance(s, Backing) and s.offset < headers.audio_start]
    in_headers = sum(min(s.offset + s.length, headers.audio_start) - s.offset for s in ranges)
    assert in_headers >= kept
    text = [s for s in parts if isinstance(s, ArtText)]
    assert sum(s.length for s in text) == (-(-given_cover().length // 3) * 4 if text else 0)
    assert bool(text) == (case.wish.cover is not None)
    values = sum(len(v.encode()) for vs in case.wish.tags.values() for v in vs)
    inline = sum(s.length for s in parts if isinstance(s, Synthesised))
    made_of = header_packets(in_memory(case.data))
    heads = PAGE_HEAD_BYTES * made_of.pages + made_of.audio_start // 255
    padding = padding_of(case)
    assert inline <= values + TEXT_BYTES_MAX + heads + padding
    assert padding < PADDING_BYTES_MAX + 2 * 4096
    assert restored(stored(case.layout)) == case.layout


@every_case
def test_random_reads_give_the_bytes_of_the_whole(file: str, wish: str) -> None:
    case = made(file, wish)
    chance = random.Random(f"{file} {wish}")
    assert case.layout.size == len(case.data)
    art = given_cover().data or b""
    for _ in range(30):
        start = chance.randrange(len(case.data))
        size = chance.choice([1, 27, 4_096, 131_072])
        found = bytes_of(case.layout.slice(start, size), case.original, art)
        assert found == case.data[start : start + size]


@every_case
def test_only_headers_and_the_end_are_fetched(file: str, wish: str) -> None:
    case = made(file, wish)
    start = header_packets(in_memory(case.original)).audio_start
    tail = max(start, len(case.original) - (64 << 10))
    assert all(end <= start or first >= tail for first, end in case.asked)


@pytest.mark.parametrize("file", FILES)
def test_padding_aligns_the_audio_and_keeps_the_pages(file: str) -> None:
    aligned = []
    for wish in WISHES:
        case = made(file, wish)
        before, after = (header_packets(in_memory(d)) for d in (case.original, case.data))
        aligned.append((after.audio_start - before.audio_start) % 4096 == 0)
        last = case.layout.segments[-1]
        assert isinstance(last, Pages) == (before.pages != after.pages)
        if wish in ("no change", "new text", "no tags"):
            assert before.pages == after.pages
        assert padding_of(case) >= PADDING_BYTES_MIN or before.pages == after.pages
    # One length in 256 cannot be had.
    assert sum(aligned) >= len(WISHES) - 1


def test_no_change_keeps_every_comment_byte_for_byte() -> None:
    for case in (made(file, "no change") for file in FILES):
        before, after = (ogg_headers(in_memory(d)).comment for d in (case.original, case.data))
        assert sorted(raw_comments(before)) == sorted(raw_comments(after))
        assert before[: 4 + before[0]] == after[: 4 + after[0]]  # the vendor


def test_audio_that_is_not_renumbered_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def left_alone(headers: Headers, size: int, delta: int) -> Segment:
        return Backing(headers.audio_start, size - headers.audio_start)

    monkeypatch.setattr(import_module("musefs.layout.synthesis.ogg"), "moved_audio", left_alone)
    for name in ("vorbis", "opus", "flac"):
        found = ogg_files()[name]
        wish = wish_of("new cover", read(found.kind, found.data))
        path = tmp_path / f"wrong{SUFFIXES[found.kind]}"
        path.write_bytes(remade(found.data, wish)[1])
        assert complaints(found.kind, path)


def test_a_stale_checksum_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ogg_pages, "patched", lambda old, *_: old)
    for name in ("vorbis", "opus", "flac"):
        case = made(name, "new cover")
        path = tmp_path / f"wrong{SUFFIXES[case.kind]}"
        path.write_bytes(served(case.layout, case.original))
        assert complaints(case.kind, path)


def cpu_ms(data: bytes, wish: Wish) -> float:
    file = in_memory(data)
    started = time.process_time()
    ogg(file, wish)
    return (time.process_time() - started) * 1e3


@pytest.mark.parametrize("name", ["vorbis", "opus", "flac"])
def test_it_costs_little(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = ogg_files()[name]
    reading = read(found.kind, found.data)
    plain, cover = wish_of("new text", reading), wish_of("new cover", reading)
    text = min(cpu_ms(found.data, plain) for _ in range(10))
    again = min(cpu_ms(found.data, cover) for _ in range(10))
    first = []
    for _ in range(10):
        monkeypatch.setattr(ogg_comments, "_TEXTS", MirroredTexts())
        first.append(cpu_ms(found.data, cover))
    large = ogg_files()[f"{name}, large art"]
    kept = wish_of("new text", read(large.kind, large.data))
    keeping = min(cpu_ms(large.data, kept) for _ in range(10))
    megabytes = sum(len(large_art(seed)) for seed in ((3,) if name == "opus" else (2, 3))) / 1e6
    print(
        f"{name}: text {text:.2f} ms; cover of {cover.cover and cover.cover.length} bytes: first "
        f"{min(first):.2f} ms, then {again:.2f} ms; {megabytes:.1f} MB of kept art {keeping:.2f} ms"
    )
    assert text < 10
    assert max(min(first), again, keeping) < 40
