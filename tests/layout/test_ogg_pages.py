"""Renumbered Ogg pages: every way to read them gives the same bytes."""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from musefs.layout import ogg_pages
from musefs.layout.ogg_crc import checksum, mirrored
from musefs.layout.ogg_pages import (
    PAGE_BYTES_MAX,
    PageHead,
    is_sound,
    page_heads,
    renumbered,
    window,
)
from musefs.layout.segments import Pages
from tests.lab.samples import shared_samples

SERIAL, OTHER_SERIAL = 0x12345678, 99
JUNK_BYTES = 100


def page(body: bytes, sequence: int, serial: int = SERIAL, flags: int = 0) -> bytes:
    """A page with the right checksum; one packet that is as long as the lacing values allow."""
    lacing = b"\xff" * (len(body) // 255) + bytes([len(body) % 255] if len(body) < 65_025 else [])
    head = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, 77, serial, sequence, 0, len(lacing))
    crc = checksum([mirrored(head + lacing + body)])
    return head[:22] + struct.pack("<I", crc) + head[26:] + lacing + body


def expected(parts: list[tuple[bytes, int, int]], delta: int) -> bytes:
    return b"".join(
        page(body, (number + delta) & 0xFFFF_FFFF if serial == SERIAL else number, serial)
        for body, number, serial in parts
    )


def read(part: Pages, content: bytes) -> bytes:
    offset, length = window(part, len(content))
    assert part.first <= offset
    assert part.offset - offset <= PAGE_BYTES_MAX
    assert 0 <= length <= len(content) - offset
    data = renumbered(part, offset, content[offset : offset + length])
    assert len(data) == part.length
    return data


LOOKALIKES = [
    b"OggS",
    b"OggS\0",
    b"OggSOggS\0\0",
    b"OggS" + bytes(40),
    page(b"", 3)[:26],
    page(b"", 3)[:22] + b"\1\2\3\4\xff" + b"\xff" * 255,  # a full page, the checksum is wrong
    page(b"", 3)[:22] + b"\1\2\3\4\1\x10",
    page(b"whole and sound, of another stream", 8, OTHER_SERIAL),
]
bodies = st.lists(
    st.sampled_from(LOOKALIKES)
    | st.binary(max_size=300)
    | st.integers(0, 40_000).map(lambda length: b"\xaa" * length),
    max_size=4,
).map(lambda parts: b"".join(parts)[:65_025])
streams = st.lists(
    st.tuples(bodies, st.integers(0, 0xFFFF_FFFF), st.sampled_from([SERIAL] * 4 + [OTHER_SERIAL])),
    min_size=1,
    max_size=12,
)
deltas = st.sampled_from([1, -1, 30, -22, 1 << 20, -(1 << 31)])


def splits(size: int, seed: int, largest: int) -> list[tuple[int, int]]:
    chance = random.Random(seed)
    cuts = {0, size}
    while len(cuts) < min(size, 2 + size // largest * 3 + 4):
        cuts.add(chance.randrange(size + 1))
    return list(pairwise(sorted(cuts)))


@settings(deadline=None, max_examples=150)
@given(streams, deltas, st.integers(0, 1000), st.sampled_from([40, 5_000, 131_072]))
@example([(b"x" * 65_025, 1, SERIAL), (b"y" * 10, 2, SERIAL)] * 3, 5, 1, 40)
@example([(b"", 1, SERIAL)] * 9, 5, 1, 40)
def test_any_reads_give_the_bytes_of_the_whole(
    parts: list[tuple[bytes, int, int]], delta: int, seed: int, largest: int
) -> None:
    content = b"J" * JUNK_BYTES + b"".join(page(*part) for part in parts)
    whole = Pages(JUNK_BYTES, len(content) - JUNK_BYTES, JUNK_BYTES, SERIAL, delta)
    wanted = expected(parts, delta)
    assert read(whole, content) == wanted
    if max(len(body) for body, _, _ in parts) > 20_000:
        largest = max(largest, 2_000)
    for start, end in splits(whole.length, seed, largest):
        assert read(whole.part(start, end), content) == wanted[start:end], (start, end)


def test_lookalikes_in_front_of_a_page_are_not_taken_for_it() -> None:
    chance = random.Random(1)
    parts: list[tuple[bytes, int, int]] = []
    for number in range(40):
        pieces = [chance.choice(LOOKALIKES) + chance.randbytes(2_000) for _ in range(12)]
        parts.append((b"".join(pieces)[: chance.randrange(10_000, 25_000)], number, SERIAL))
    content = b"".join(page(*part) for part in parts)
    part = Pages(0, len(content), 0, SERIAL, 22)
    wanted = expected(parts, 22)
    assert read(part, content) == wanted
    for head in page_heads(content, 0, SERIAL):
        for start in (max(head.start - 700, 0), head.start + 5, head.start + 20):
            end = min(start + chance.choice([20, 900, 20_000]), part.length)
            assert read(part.part(start, end), content) == wanted[start:end]


@pytest.mark.parametrize("name", ["vorbis.ogg", "opus.opus", "flac.oga"])
def test_every_byte_of_a_real_file_can_be_asked_for_alone(name: str) -> None:
    content = shared_samples()[name].read_bytes()
    pages = list(page_heads(content, 0, None))
    assert pages[-1].start + pages[-1].bytes == len(content)
    first = pages[1].start
    part = Pages(first, len(content) - first, first, pages[0].serial, 3)
    whole = read(part, content)
    found = list(page_heads(whole, 0, None))
    assert [p.sequence for p in found] == [p.sequence + 3 for p in pages[1:]]
    assert all(is_sound(whole, p) for p in found)
    for head in found:
        for start in range(max(0, head.start - 30), min(head.start + 60, part.length)):
            assert read(part.part(start, start + 1), content) == whole[start : start + 1]


def test_a_page_that_the_end_of_the_file_cuts_off_is_renumbered_too() -> None:
    content = b"".join(page(b"z" * 3_000, number) for number in range(9))
    for missing in (1, 2_000, 3_000):
        cut = content[:-missing]
        part = Pages(0, len(cut), 0, SERIAL, 1)
        whole = read(part, cut)
        last = list(page_heads(whole, 0, SERIAL))[-1]
        assert last.sequence == 9
        tail = Pages(len(cut) - 500, 500, 0, SERIAL, 1)
        assert read(tail, cut) == whole[-500:]


def test_what_is_cut_off_inside_its_lacing_values_stays_as_it_is() -> None:
    content = (page(b"a" * 700, 1) + page(b"b" * 700, 2))[: -700 - 1]
    part = Pages(0, len(content), 0, SERIAL, 1)
    assert read(part, content)[-28:] == content[-28:]
    assert read(part.part(720, part.length), content) == read(part, content)[720:]


def test_behind_damage_the_next_pages_are_found_again() -> None:
    before = [page(bytes([65 + n]) * 900, n) for n in range(5)]
    after = [page(bytes([75 + n]) * 900, n) for n in range(7, 12)]
    content = b"".join(before) + b"?" * 1_234 + b"".join(after)
    part = Pages(0, len(content), 0, SERIAL, 1)
    whole = read(part, content)
    assert whole[: len(before[0])] == page(b"A" * 900, 1)
    assert [p.sequence for p in page_heads(whole, 0, SERIAL)] == [1, 2, 3, 4, 5, 8, 9, 10, 11, 12]
    for start in range(0, part.length, 97):
        end = min(start + 150, part.length)
        assert read(part.part(start, end), content) == whole[start:end]


def test_a_window_that_is_too_short_is_an_error() -> None:
    content = page(b"a" * 700, 1)
    with pytest.raises(ValueError, match="does not hold"):
        renumbered(Pages(0, len(content), 0, SERIAL, 1), 0, content[:-1])
    with pytest.raises(ValueError, match="does not hold"):
        renumbered(Pages(0, 10, 0, SERIAL, 1), 5, content)


@pytest.mark.parametrize(
    "hostile",
    [
        lambda: b"OggS\0" * 60_000,
        lambda: (page(b"", 3)[:22] + b"\1\2\3\4\xff" + b"\xff" * 255 + b"x") * 900,
        lambda: (page(b"", 3)[:22] + b"\1\2\3\4\0") * 9_000,
        lambda: (page(b"", 3)[:22] + b"\1\2\3\4\x7f" + b"\xff" * 127) * 1_500 + b"x" * 65_536,
        lambda: (page(b"1", 3) + page(b"", 3)[:22] + b"\1\2\3\4\xff" + b"\xff" * 255) * 700,
    ],
)
def test_lookalikes_cost_little(
    hostile: Callable[[], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[int] = []

    def counted(data: bytes, head: PageHead) -> bool:
        hashed.append(head.bytes)
        return is_sound(data, head)

    monkeypatch.setattr(ogg_pages, "is_sound", counted)
    content = page(b"x" * 65_025, 1) + hostile()
    part = Pages(65_400, 131_072, 0, SERIAL, 1)
    started = time.process_time()
    read(part, content)
    assert time.process_time() - started < 0.5
    assert len(hashed) <= 64


def test_renumbering_keeps_up_with_any_disk() -> None:
    content = b"".join(page(b"s" * 13_000, number) for number in range(1_300))
    whole = Pages(0, len(content), 0, SERIAL, 22)
    started = time.process_time()
    for start in range(0, whole.length, 128 << 10):
        read(whole.part(start, min(start + (128 << 10), whole.length)), content)
    rate = len(content) / (time.process_time() - started) / 1e6
    print(f"renumbering {rate:.0f} MB/s")
    assert rate > 50
