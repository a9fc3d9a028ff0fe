"""TTA: ID3v2 in front, and nothing that contradicts it behind."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from mutagen import id3
from mutagen.trueaudio import TrueAudio

from musefs.layout.formats import Format
from musefs.layout.ranged import in_memory
from musefs.layout.synthesis import synthesise
from musefs.layout.wish import PADDING_BYTES_MIN, Unservable, Wish
from tests.layout.synthesis.retagging import pcm_digest, probed
from tests.layout.synthesis.wishes import WISHES, retagged, sample

TRUE = sample("true.tta")


def with_pictures() -> bytes:
    """The sample with ID3 in place of its APEv2 tag, 2 MB of pictures and a rating."""
    file = BytesIO(TRUE)
    tagged = TrueAudio(file)
    tagged.add_tags()
    tagged.tags.add(id3.TIT2(encoding=3, text=["Titel"]))
    tagged.tags.add(id3.POPM(email="me", rating=1, count=2))
    for kind in (3, 4):
        data = b"\xff\xd8" + bytes([kind]) * 2 + bytes(range(256)) * 4096
        tagged.tags.add(id3.APIC(mime="image/jpeg", type=kind, desc=str(kind), data=data))
    file.seek(0)
    tagged.save(file)
    return file.getvalue()


@pytest.mark.parametrize("wish", WISHES)
@pytest.mark.parametrize("rich", [False, True])
def test_tta_files_are_made_as_wished(rich: bool, wish: str, tmp_path: Path) -> None:
    original = with_pictures() if rich else TRUE
    made = retagged(Format.TTA, original, wish)
    read = made.with_mutagen()
    start = made.after.audio_start
    assert made.data[start : start + 4] == b"TTA1"
    assert made.data[start - PADDING_BYTES_MIN : start] == bytes(PADDING_BYTES_MIN)
    assert b"APETAGEX" not in made.data
    if wish.startswith("text"):
        assert read.tags["TIT2"].text == ["Neuer Titel"]
        assert probed(made.data, tmp_path, ".tta")["title"] == "Neuer Titel"
    if rich:
        assert read.tags["POPM:me"].count == 2
    assert pcm_digest(made.data, tmp_path, ".tta") == pcm_digest(original, tmp_path, ".tta")


def test_what_is_no_tta_file_is_refused() -> None:
    with pytest.raises(Unservable, match="TTA"):
        synthesise(Format.TTA, in_memory(sample("untagged.mp3")), Wish({}))
