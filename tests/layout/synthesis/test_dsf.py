"""DSF: a tag behind the audio, and a first chunk that knows of it."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import pytest
from mutagen import id3
from mutagen.dsf import DSF

from musefs.layout.formats import Format
from musefs.layout.ranged import in_memory
from musefs.layout.synthesis import synthesise
from musefs.layout.wish import Unservable, Wish
from tests.lab.samples import dsf_bytes
from tests.layout.synthesis.retagging import pcm_digest, probed
from tests.layout.synthesis.wishes import WISHES, retagged, sample

UNTAGGED = dsf_bytes(1)


def rich() -> bytes:
    """A second of sound with a rating and two pictures."""
    file = BytesIO(UNTAGGED)
    tagged = DSF(file)
    tagged.add_tags()
    tagged.tags.add(id3.TPE1(encoding=1, text=["Eins", "Zwei"]))
    tagged.tags.add(id3.POPM(email="me", rating=1, count=2))
    for kind in (3, 4):
        data = b"\xff\xd8" + bytes([kind]) * 2 + bytes(range(256)) * 4096
        tagged.tags.add(id3.APIC(mime="image/jpeg", type=kind, desc=str(kind), data=data))
    file.seek(0)
    tagged.save(file)
    return file.getvalue()


@pytest.mark.parametrize("wish", WISHES)
@pytest.mark.parametrize("which", ["sample", "untagged", "rich"])
def test_dsf_files_are_made_as_wished(which: str, wish: str, tmp_path: Path) -> None:
    original = {"sample": sample("stream.dsf"), "untagged": UNTAGGED}.get(which) or rich()
    made = retagged(Format.DSF, original, wish)
    magic, size, pointer = struct.unpack("<4s8xQQ", made.data[:28])
    assert (magic, size) == (b"DSD ", len(made.data))
    assert made.data[28 : made.after.audio_end] == original[28 : made.before.audio_end]
    if pointer:
        assert pointer == made.after.audio_end
        assert made.data[pointer : pointer + 4] == b"ID3\4"
    else:
        assert len(made.data) == made.after.audio_end
    if wish.startswith("text"):
        assert made.with_mutagen().tags["TIT2"].text == ["Neuer Titel"]
        assert probed(made.data, tmp_path, ".dsf")["title"] == "Neuer Titel"
    if which == "rich":
        assert made.with_mutagen().tags["POPM:me"].count == 2
    if wish == "text and cover":
        assert pcm_digest(made.data, tmp_path, ".dsf") == pcm_digest(original, tmp_path, ".dsf")


@pytest.mark.parametrize("cut", [20, 60, 95, len(UNTAGGED) - 1])
def test_half_a_file_is_refused(cut: int) -> None:
    with pytest.raises(Unservable):
        synthesise(Format.DSF, in_memory(UNTAGGED[:cut]), Wish({}))


def test_a_tag_behind_the_end_is_refused() -> None:
    original = UNTAGGED[:20] + struct.pack("<Q", len(UNTAGGED)) + UNTAGGED[28:]
    with pytest.raises(Unservable, match="cut off"):
        synthesise(Format.DSF, in_memory(original), Wish({}))
