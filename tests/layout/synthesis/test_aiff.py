"""AIFF: an ID3 chunk at the end, no text chunks, filler in front of the audio, exact sizes."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from musefs.layout.formats import Format
from musefs.layout.ranged import in_memory
from musefs.layout.synthesis import synthesise
from musefs.layout.wish import Unservable, Wish
from tests.layout.synthesis.retagging import pcm_digest, probed
from tests.layout.synthesis.wishes import WISHES, chunks_of, retagged, sample, samples

TEXTS = {b"NAME", b"AUTH", b"ANNO", b"(c) "}


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack(">I", len(body)) + body + bytes(len(body) & 1)


def aiff_of(*chunks: bytes) -> bytes:
    body = b"AIFF" + b"".join(chunks)
    return b"FORM" + struct.pack(">I", len(body)) + body


ORIGINAL = dict(chunks_of(sample("pcm.aiff"), big_endian=True))
COMMON, SOUND = chunk(b"COMM", ORIGINAL[b"COMM"]), chunk(b"SSND", ORIGINAL[b"SSND"])


@pytest.mark.parametrize("wish", WISHES)
@pytest.mark.parametrize("name", samples(".aiff"))
def test_aiff_files_are_made_as_wished(name: str, wish: str, tmp_path: Path) -> None:
    original = sample(name)
    made = retagged(Format.AIFF, original, wish)
    names = [name for name, _ in chunks_of(made.data, big_endian=True)]
    assert not TEXTS & set(names)
    assert names.count(b"ID3 ") == (0 if wish == "nothing" else 1)
    if wish.startswith("text"):
        assert made.with_mutagen().tags["TIT2"].text == ["Neuer Titel"]
        assert probed(made.data, tmp_path, ".aiff")["title"] == "Neuer Titel"
    assert pcm_digest(made.data, tmp_path, ".aiff") == pcm_digest(original, tmp_path, ".aiff")


def test_text_chunks_become_a_tag_and_other_chunks_stay() -> None:
    marks = chunk(b"MARK", b"\0\0") + chunk(b"APPL", b"stoc!")
    texts = chunk(b"NAME", b"Titel") + chunk(b"AUTH", b"Wer") + chunk(b"ANNO", b"Was")
    original = aiff_of(COMMON, texts, marks, SOUND, chunk(b"(c) ", b"1999 ich"))
    made = retagged(Format.AIFF, original, "no change")
    assert dict(made.after.tags) == {
        "title": ("Titel",),
        "artist": ("Wer",),
        "comment": ("Was",),
        "copyright": ("1999 ich",),
    }
    found = list(chunks_of(made.data, big_endian=True))
    assert [name for name, _ in found] == [b"COMM", b"MARK", b"APPL", b"FLLR", b"SSND", b"ID3 "]
    assert found[2][1] == b"stoc!"


def test_a_file_without_audio_is_refused() -> None:
    with pytest.raises(Unservable, match="no audio"):
        synthesise(Format.AIFF, in_memory(aiff_of(COMMON)), Wish({}))
