"""What is asked of every kind of file, and what has to hold of whatever is made of it then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import Any

from mutagen.aiff import AIFF
from mutagen.dsf import DSF
from mutagen.flac import FLAC
from mutagen.mp3 import MP3
from mutagen.trueaudio import TrueAudio
from mutagen.wave import WAVE

from musefs.layout.formats import Format
from musefs.layout.reading import TagReading
from musefs.layout.segments import Art, Backing, Layout, Synthesised
from musefs.layout.synthesis import synthesise
from musefs.layout.tags import Tags
from musefs.layout.wish import ALIGNMENT_BYTES, Wish
from tests.lab.ranges import read_whole
from tests.lab.samples import shared_samples
from tests.layout.synthesis.retagging import (
    GIVEN,
    GIVEN_PICTURE,
    LYRICS,
    TEXT,
    fastest_s,
    make,
    materialise,
    overlaps,
)

WISHES = ("no change", "text", "text and cover", "no pictures", "long lyrics", "nothing")
SYNTHESISED_BYTES_MAX = 20_000
CPU_S_MAX = 0.02
"""Ten times what is wanted, as the machine has other things to do."""

_MUTAGEN: dict[Format, Any] = {
    Format.FLAC: FLAC,
    Format.MP3: MP3,
    Format.TTA: TrueAudio,
    Format.WAV: WAVE,
    Format.AIFF: AIFF,
    Format.DSF: DSF,
}


def wish_of(label: str, reading: TagReading) -> Wish:
    """One of WISHES for a file that says this."""
    own, pictures = reading.tags, reading.pictures
    match label:
        case "text":
            return Wish(TEXT, pictures)
        case "text and cover":
            return Wish(TEXT, pictures, GIVEN)
        case "no pictures":
            return Wish(own, pictures, bare=True)
        case "long lyrics":
            return Wish({**own, "lyrics": (LYRICS.strip(),)}, pictures)
        case "nothing":
            return Wish({}, pictures)
    return Wish(own, pictures)


@dataclass(frozen=True)
class Retagged:
    """A file that was made as wished."""

    kind: Format
    original: bytes
    before: TagReading
    wish: Wish
    layout: Layout
    data: bytes
    after: TagReading

    @property
    def synthesised(self) -> bytes:
        """All bytes that exist in the layout alone."""
        return b"".join(
            segment.data for segment in self.layout.segments if isinstance(segment, Synthesised)
        )

    def with_mutagen(self) -> Any:
        """mutagen's view of the served file."""
        return _MUTAGEN[self.kind](BytesIO(self.data))


def retagged(kind: Format, original: bytes, wish: str | Tags | Wish) -> Retagged:
    """Make a file as wished and see that all holds that has to hold of any."""
    before = read_whole(kind, original)
    if isinstance(wish, str):
        wish = wish_of(wish, before)
    elif not isinstance(wish, Wish):
        wish = Wish(wish, before.pictures)
    layout, fetched, _ = make(partial(synthesise, kind), original, wish)
    data = materialise(layout, original)
    assert layout.size == len(data)
    made = Retagged(kind, original, before, wish, layout, data, read_whole(kind, data))
    assert dict(made.after.tags) == dict(wish.tags)
    _check_audio(made)
    _check_pictures(made, fetched)
    text_bytes = sum(len(value.encode()) for values in wish.tags.values() for value in values)
    assert len(made.synthesised) <= SYNTHESISED_BYTES_MAX + 2 * text_bytes
    assert make(partial(synthesise, kind), original, wish)[0] == layout
    spent_s = fastest_s(partial(synthesise, kind), original, wish, rounds=5)
    print(f"{kind.value}: {spent_s * 1000:.2f} ms, {len(layout.segments)} segments")
    assert spent_s < CPU_S_MAX
    return made


def samples(*suffixes: str, without: tuple[str, ...] = ()) -> list[str]:
    """The names of the samples with these suffixes."""
    return [name for name in shared_samples() if name.endswith(suffixes) and name not in without]


def sample(name: str) -> bytes:
    """The bytes of a sample."""
    return shared_samples()[name].read_bytes()


def chunks_of(data: bytes, big_endian: bool = False) -> Iterator[tuple[bytes, bytes]]:
    """Names and bodies of the chunks of a RIFF or AIFF file whose sizes are all exact."""
    order = "big" if big_endian else "little"
    assert int.from_bytes(data[4:8], order) == len(data) - 8  # type: ignore[arg-type]
    assert len(data) % 2 == 0
    position = 12
    while position < len(data):
        size = int.from_bytes(data[position + 4 : position + 8], order)  # type: ignore[arg-type]
        body = data[position + 8 : position + 8 + size]
        assert len(body) == size
        yield data[position : position + 4], body
        assert size % 2 == 0 or data[position + 8 + size] == 0
        position += 8 + size + size % 2


def _check_audio(made: Retagged) -> None:
    before, after = made.before, made.after
    audio = made.original[before.audio_start : before.audio_end]
    assert made.data[after.audio_start : after.audio_end] == audio
    assert (after.audio_start - before.audio_start) % ALIGNMENT_BYTES == 0
    assert any(
        isinstance(part, Backing)
        and part.offset <= before.audio_start
        and before.audio_end <= part.offset + part.length
        for part in made.layout.segments
    )
    assert (after.duration_s, after.sample_rate) == (before.duration_s, before.sample_rate)


def _check_pictures(made: Retagged, fetched: list[tuple[int, int]]) -> None:
    wish = made.wish
    for picture in wish.embedded:
        if picture.offset is None:
            continue
        start, end = picture.offset, picture.offset + picture.length
        assert not overlaps(fetched, start, end)
        assert made.original[start : start + 64] not in made.synthesised
        kept = any(
            isinstance(part, Backing) and part.offset < end and start < part.offset + part.length
            for part in made.layout.segments
        )
        assert kept == wish.keeps(picture.kind)
    arts = [part for part in made.layout.segments if isinstance(part, Art)]
    assert arts == ([Art(GIVEN.id, 0, GIVEN.length)] if wish.cover else [])
    assert GIVEN_PICTURE[:64] not in made.synthesised
    expected = [found for found in _pictures(made.kind, made.original) if wish.keeps(found[0])]
    expected += [(3, GIVEN_PICTURE)] if wish.cover else []
    assert sorted(_pictures(made.kind, made.data)) == sorted(expected)
    assert sorted(picture.kind for picture in made.after.pictures) == sorted(
        kind for kind, _ in expected
    )


def _pictures(kind: Format, data: bytes) -> list[tuple[int, bytes]]:
    """Kinds and payloads that mutagen finds."""
    read = _MUTAGEN[kind](BytesIO(data))
    frames = read.pictures if kind is Format.FLAC else (read.tags or {}).values()
    return [
        (int(frame.type), frame.data)
        for frame in frames
        if hasattr(frame, "type") and hasattr(frame, "mime")
    ]
