"""WAV: chunks that stay, INFO, filler in front of the audio, and sizes that are exact."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import pytest
from mutagen.wave import WAVE

from musefs.layout.chunks import info_texts, wave_chunks
from musefs.layout.formats import Format
from musefs.layout.ranged import Extents, RangedFile, in_memory
from musefs.layout.synthesis import synthesise
from musefs.layout.wish import Unservable, Wish
from tests.layout.synthesis.retagging import pcm_digest, probed
from tests.layout.synthesis.wishes import WISHES, chunks_of, retagged, sample, samples

SAMPLES = samples(".wav", without=("rf64.wav",))


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) & 1)


def wave_of(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


FORMAT = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 8000, 1, 8))
SOUND = bytes(range(1, 252))
TAG = dict(chunks_of(sample("chunk.wav")))[b"id3 "]
INFO = chunk(b"LIST", b"INFO" + chunk(b"INAM", b"Titre\0") + chunk(b"ISMP", b"00:01\0\0"))
EXTRA = chunk(b"bext", bytes(602)) + chunk(b"cue ", bytes(4)) + chunk(b"LIST", b"adtlabcd")


def info_of(data: bytes) -> dict[str, str]:
    file = in_memory(data)
    texts = info_texts(file, wave_chunks(file))
    assert all(text.endswith("\0") and not text.endswith("\0\0") for _, text in texts)
    return {name: text[:-1] for name, text in texts}


@pytest.mark.parametrize("wish", WISHES)
@pytest.mark.parametrize("name", SAMPLES)
def test_wav_files_are_made_as_wished(name: str, wish: str, tmp_path: Path) -> None:
    original = sample(name)
    made = retagged(Format.WAV, original, wish)
    names = [name for name, _ in chunks_of(made.data)]
    assert names.count(b"id3 ") == (0 if wish == "nothing" and name != "chunk.wav" else 1)
    if wish.startswith("text"):
        assert made.with_mutagen().tags["TIT2"].text == ["Neuer Titel"]
        shown = info_of(made.data)
        assert (shown["INAM"], shown["IART"]) == ("Neuer Titel", "Erste; Zweite")
        assert (shown["ITRK"] if "ITRK" in shown else shown["IPRT"]) == "7/12"
        assert probed(made.data, tmp_path, ".wav")["title"] == "Neuer Titel"
    elif wish == "nothing":
        assert b"LIST" not in names
    assert pcm_digest(made.data, tmp_path, ".wav") == pcm_digest(original, tmp_path, ".wav")


@pytest.mark.parametrize("wish", WISHES)
def test_other_chunks_stay_and_odd_ones_are_padded(wish: str) -> None:
    original = wave_of(FORMAT, INFO, EXTRA, chunk(b"data", SOUND), chunk(b"id3 ", TAG))
    made = retagged(Format.WAV, original, wish)
    after = list(chunks_of(made.data))
    for name, body in chunks_of(original):
        if name not in (b"id3 ", b"LIST") or body.startswith(b"adtl"):
            assert (name, body) in after
    names = [name for name, _ in after]
    assert names.index(b"JUNK") == names.index(b"data") - 1
    assert info_of(made.data)["ISMP"] == "00:01"  # no field is known for it


def test_a_tag_in_front_of_the_audio_leaves_no_more_than_a_page_of_filler() -> None:
    made = retagged(
        Format.WAV, wave_of(FORMAT, chunk(b"id3 ", TAG), chunk(b"data", SOUND)), "no change"
    )
    sizes = {name: len(body) for name, body in chunks_of(made.data)}
    assert sizes[b"JUNK"] < 4096
    assert list(sizes) == [b"fmt ", b"JUNK", b"data", b"id3 "]


@pytest.mark.parametrize("missing", range(0, 20, 2))
def test_filler_of_every_length_is_a_whole_chunk(missing: int) -> None:
    info = chunk(b"LIST", b"INFO" + bytes(4096 - 12 + missing))
    original = wave_of(FORMAT, info, chunk(b"data", SOUND))
    made = retagged(Format.WAV, original, {"title": ("x",)})
    assert [name for name, _ in chunks_of(made.data)][-1] == b"id3 "


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 10_000])
def test_an_open_size_of_the_audio_is_filled_in(size: int) -> None:
    whole = wave_of(FORMAT, chunk(b"data", SOUND[:-1]))
    place = whole.index(b"data") + 4
    original = whole[:place] + struct.pack("<I", size) + whole[place + 4 :]
    made = retagged(Format.WAV, original, "text")
    assert dict(chunks_of(made.data))[b"data"] == SOUND[:-1]


def test_what_follows_the_last_chunk_goes() -> None:
    whole = wave_of(FORMAT, chunk(b"data", SOUND))
    made = retagged(Format.WAV, whole + b"\0\1\2\3" * 20, "text")
    assert [name for name, _ in chunks_of(made.data)] == [b"fmt ", b"data", b"id3 "]


def test_an_untagged_file_stays_as_it_is() -> None:
    whole = wave_of(FORMAT, chunk(b"data", SOUND))
    assert retagged(Format.WAV, whole, "no change").data == whole


def test_large_files_and_files_without_audio_are_refused() -> None:
    with pytest.raises(Unservable, match="RF64"):
        synthesise(Format.WAV, in_memory(sample("rf64.wav")), Wish({}))
    with pytest.raises(Unservable, match="no audio"):
        synthesise(Format.WAV, in_memory(wave_of(FORMAT)), Wish({}))
    extents = Extents((1 << 32) + 100)
    head = wave_of(FORMAT, chunk(b"data", b""))[:-4] + b"\xff\xff\xff\xff"
    extents.add(0, head)
    with pytest.raises(Unservable, match="4 GiB"):
        synthesise(Format.WAV, RangedFile(extents), Wish({"title": ("x",)}))
    many = wave_of(FORMAT, chunk(b"data", SOUND), *[chunk(b"junk", b"")] * 2000)
    with pytest.raises(Unservable, match="1024"):
        synthesise(Format.WAV, in_memory(many), Wish({}))


def test_mutagen_reads_what_it_would_have_written() -> None:
    file = BytesIO(sample("chunk.wav"))
    tagged = WAVE(file)
    file.seek(0)
    tagged.save(file)
    made = retagged(Format.WAV, sample("chunk.wav"), "no change").with_mutagen()
    assert {key: str(frame) for key, frame in made.tags.items() if key[0] == "T"} == {
        key: str(frame) for key, frame in tagged.tags.items() if key[0] == "T"
    }
