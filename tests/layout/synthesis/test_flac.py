"""FLAC: blocks that stay, comments, pictures, and what does not belong into such a file."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from mutagen import flac as mutagen_flac
from mutagen.flac import FLAC, CueSheet, CueSheetTrack, CueSheetTrackIndex, Picture

from musefs.layout.flac_blocks import PICTURE, flac_blocks
from musefs.layout.formats import Format
from musefs.layout.ranged import in_memory
from musefs.layout.synthesis import synthesise
from musefs.layout.wish import PADDING_BYTES_MIN, Unservable, Wish
from tests.lab.ranges import read_bytewise
from tests.layout.synthesis.retagging import GIVEN, TEXT, materialise
from tests.layout.synthesis.wishes import WISHES, Retagged, retagged, sample, samples

SAMPLES = samples(".flac")


def edited(change: Callable[[FLAC], None]) -> bytes:
    """The plain sample after a change with mutagen."""
    file = BytesIO(sample("plain.flac"))
    tagged = FLAC(file)
    change(tagged)
    file.seek(0)
    tagged.save(file)
    return file.getvalue()


def picture(kind: int, data: bytes) -> Picture:
    block = Picture()
    block.type, block.mime, block.desc, block.data = kind, "image/jpeg", "Bild", data
    return block


def rich(tagged: FLAC) -> None:
    """A file with all that FLAC files may have."""
    cues = CueSheet(None)
    cues.media_catalog_number, cues.compact_disc = b"1234567890123", True
    for number, start in ((1, 0), (2, 44100), (170, 132300)):
        track = CueSheetTrack(number, start)
        if number < 100:
            track.indexes.append(CueSheetTrackIndex(1, 0))
        cues.tracks.append(track)
    tagged.cuesheet = cues
    tagged.metadata_blocks.append(cues)
    application = mutagen_flac.MetadataBlock(b"musefs test")
    application.code = 2
    tagged.metadata_blocks.append(application)
    tagged.clear_pictures()
    tagged.add_picture(picture(3, b"\xff\xd8front" + bytes(range(256)) * 4096))
    tagged.add_picture(picture(4, b"\xff\xd8back" + bytes(range(255, -1, -1)) * 4096))
    tagged["REPLAYGAIN_TRACK_GAIN"] = ["-7.00 dB"]
    tagged["ARTIST"] = ["Eins", "Zwei", "Drei"]
    tagged["Album Artist"] = ["Alle"]
    tagged["LYRICS"] = ["La la la\n" * 25_000]


def blocks(data: bytes) -> dict[int, list[bytes]]:
    """Bodies by kind, padding left out."""
    found: dict[int, list[bytes]] = {}
    for block in flac_blocks(in_memory(data)).blocks:
        if block.kind != 1:
            found.setdefault(block.kind, []).append(data[block.start : block.end])
    return found


def check(made: Retagged, folder: Path) -> Any:
    """What holds of every FLAC file; mutagen's view of it."""
    found = flac_blocks(in_memory(made.data))
    kinds = [block.kind for block in found.blocks]
    assert kinds[0] == 0
    assert kinds.count(1) == 1
    assert kinds[-1] == 1
    assert found.blocks[-1].end - found.blocks[-1].start >= PADDING_BYTES_MIN
    assert made.data.startswith(b"fLaC")
    before, after = blocks(made.original), blocks(made.data)
    for kind in before.keys() - {4, PICTURE}:
        assert after[kind] == before[kind]
    path = folder / "served.flac"
    path.write_bytes(made.data)
    tested = subprocess.run(["flac", "-ts", path], check=False, capture_output=True, timeout=60)
    assert (tested.returncode, tested.stderr) == (0, b"")
    return made.with_mutagen()


@pytest.mark.parametrize("wish", WISHES)
@pytest.mark.parametrize("name", [*SAMPLES, "rich"])
def test_flac_files_are_made_as_wished(name: str, wish: str, tmp_path: Path) -> None:
    original = edited(rich) if name == "rich" else sample(name)
    read = check(retagged(Format.FLAC, original, wish), tmp_path)
    if wish.startswith("text"):
        assert read["title"] == ["Neuer Titel"]
        assert read["artist"] == ["Erste", "Zweite"]
        assert read["tracknumber"] == ["7"]
        assert read["musicbrainz_albumid"] == list(TEXT["musicbrainz_albumid"])
        assert read["my own field"] == ["eigener Wert", "noch einer"]
    elif wish == "nothing":
        assert not read.tags


def test_only_what_differs_is_written_anew() -> None:
    original = edited(rich)
    unchanged = retagged(Format.FLAC, original, "no change")
    assert blocks(unchanged.data)[4] == blocks(original)[4]
    tags = {**unchanged.before.tags, "title": ("Anders",)}
    comments = retagged(Format.FLAC, original, tags).with_mutagen().tags
    assert ("Album Artist", "Alle") in list(comments)  # the name that its tagger chose
    assert [value for name, value in comments if name == "TITLE"] == ["Anders"]
    assert comments.vendor.startswith("reference libFLAC")


def test_tags_of_other_kinds_go() -> None:
    file = sample("id3.flac")
    wish = Wish({"title": ("Neu",)})
    served = [
        materialise(synthesise(Format.FLAC, in_memory(original), wish), original)
        for original in (file, file + b"TAG" + bytes(125))
    ]
    assert served[0] == served[1]
    assert served[0].startswith(b"fLaC")
    assert served[0].endswith(file[-100_000:])


def test_a_file_without_comments_gets_some() -> None:
    def bare(tagged: FLAC) -> None:
        tagged.clear_pictures()
        tagged.metadata_blocks = [block for block in tagged.metadata_blocks if block.code != 4]

    original = edited(bare)
    assert 4 not in blocks(original)
    assert blocks(retagged(Format.FLAC, original, "text").data).keys() == {0, 3, 4}
    assert 4 not in blocks(retagged(Format.FLAC, original, "no change").data)


def test_a_cover_says_what_it_is() -> None:
    read = retagged(Format.FLAC, sample("plain.flac"), "text and cover").with_mutagen()
    (front,) = read.pictures
    assert (front.type, front.mime, front.width, front.height) == (3, "image/jpeg", 1000, 1000)


def test_a_back_cover_stays_next_to_a_new_front_cover() -> None:
    made = retagged(Format.FLAC, edited(rich), "text and cover")
    assert [found.type for found in made.with_mutagen().pictures] == [4, 3]


def test_a_block_of_16_mib_is_refused() -> None:
    file = in_memory(sample("plain.flac"))
    cover = type(GIVEN)(GIVEN.id, GIVEN.mime, 9000, 9000, 1 << 24)
    with pytest.raises(Unservable, match="16 MiB"):
        synthesise(Format.FLAC, file, Wish({}, (), cover))
    with pytest.raises(Unservable, match="16 MiB"):
        synthesise(Format.FLAC, file, Wish({"lyrics": ("x" * (1 << 24),)}))


@pytest.mark.parametrize("cut", [3, 30, 60, 5000])
def test_half_a_file_is_refused(cut: int) -> None:
    with pytest.raises(Unservable):
        synthesise(Format.FLAC, in_memory(sample("plain.flac")[:cut]), Wish({}))


def test_more_comments_than_anybody_writes_are_refused() -> None:
    def many(tagged: FLAC) -> None:
        tagged.tags.extend(("A", "") for _ in range(17_000))

    with pytest.raises(Unservable, match="16384"):
        synthesise(Format.FLAC, in_memory(edited(many)), Wish({}))


def test_long_files_cost_no_more_than_short_ones() -> None:
    original = sample("plain.flac")
    reading, _ = read_bytewise(Format.FLAC, original)
    made = retagged(Format.FLAC, original + bytes(50 << 20), Wish(TEXT, reading.pictures))
    assert len(made.layout.segments) == 4
