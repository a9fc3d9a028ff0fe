"""The one door to all makers, and fields in the two kinds of tag that several formats share."""

from __future__ import annotations

import random
import time
from io import BytesIO

import pytest
from mutagen._vorbis import VCommentDict
from mutagen.id3 import ID3

from musefs.layout import synthesis
from musefs.layout.formats import Format
from musefs.layout.ranged import Extents, Malformed, Need, RangedFile, in_memory
from musefs.layout.reading import read_tags
from musefs.layout.synthesis import RETAGGED, needs_cover_bytes, synthesise
from musefs.layout.synthesis.changes import changed_fields
from musefs.layout.synthesis.comment_fields import comment_name, set_comments
from musefs.layout.synthesis.id3_fields import set_frames
from musefs.layout.tags import Tags, from_id3, from_vorbis
from musefs.layout.vocabulary import VOCABULARY
from musefs.layout.wish import Cover, Unservable, Wish
from tests.lab.samples import shared_samples
from tests.layout.synthesis.retagging import GIVEN, GIVEN_PICTURE, TEXT

KINDS = {
    ".flac": Format.FLAC,
    ".mp3": Format.MP3,
    ".tta": Format.TTA,
    ".wav": Format.WAV,
    ".aiff": Format.AIFF,
    ".dsf": Format.DSF,
    ".m4a": Format.MP4,
    ".wv": Format.WAVPACK,
    ".mpc": Format.MUSEPACK,
    ".wma": Format.ASF,
    ".ogg": Format.VORBIS,
    ".opus": Format.OPUS,
    ".oga": Format.OGGFLAC,
}
SAMPLES = sorted(name for name, path in shared_samples().items() if path.suffix in KINDS)
MUTATIONS = 60
MUTATION_S_MAX = 2.0
COVER = Cover(GIVEN.id, GIVEN.mime, GIVEN.width, GIVEN.height, GIVEN.length, GIVEN_PICTURE)


def every_field(*values: str) -> Tags:
    return {names.field: values for names in VOCABULARY}


def test_what_is_retagged() -> None:
    served_untouched = {Format.SPEEX, Format.DFF, Format.AAC, Format.OTHER}
    assert set(Format) - served_untouched == RETAGGED
    assert {kind for kind in Format if needs_cover_bytes(kind)} == {
        Format.VORBIS,
        Format.OPUS,
        Format.OGGFLAC,
    }


@pytest.mark.parametrize("kind", sorted(set(Format) - RETAGGED))
def test_other_formats_are_refused(kind: Format) -> None:
    with pytest.raises(Unservable, match="does not change"):
        synthesise(kind, in_memory(b"x" * 100), Wish({}))


@pytest.mark.parametrize("kind", sorted(RETAGGED))
@pytest.mark.parametrize("data", [b"", b"x", b"\0" * 5000, b"ID3\4\0\0\0\0\1\0" + b"\xff" * 500])
def test_bytes_of_no_format_never_get_further_than_a_reason(kind: Format, data: bytes) -> None:
    reason = "is a stream with tags around it"  # of these the makers do not look at the audio
    try:
        synthesise(kind, in_memory(data), Wish(TEXT))
    except Unservable as error:
        reason = str(error)
    else:
        assert kind in (Format.MP3, Format.APE, Format.MUSEPACK, Format.WAVPACK)
    assert reason.split()[0] in ("is", "has", "holds", "would", "does")
    assert "\n" not in reason


def test_whatever_a_parser_raises_becomes_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("two\nlines\x07" + "x" * 1000)

    monkeypatch.setitem(synthesis._MAKERS, Format.FLAC, broken)
    with pytest.raises(Unservable) as caught:
        synthesise(Format.FLAC, in_memory(b""), Wish({}))
    assert str(caught.value).startswith(
        "has tags that cannot be rewritten: ZeroDivisionError two lines?"
    )
    assert len(str(caught.value)) < 250


def test_missing_bytes_are_asked_for() -> None:
    with pytest.raises(Need):
        synthesise(Format.FLAC, RangedFile(Extents(10_000)), Wish({}))


@pytest.mark.parametrize("name", SAMPLES)
def test_damaged_files_are_refused_or_served_in_good_time(name: str) -> None:
    path = shared_samples()[name]
    original, kind = path.read_bytes(), KINDS[path.suffix]
    chance = random.Random(name)
    slowest_s = 0.0
    for _ in range(MUTATIONS):
        data = bytearray(original)
        for _ in range(chance.randint(1, 8)):
            near_end = chance.random() < 0.3
            place = chance.randrange(min(2000, len(data)))
            data[-1 - place if near_end else place] = chance.choice([0, 1, 127, 128, 255])
        file = in_memory(bytes(data[: chance.choice([len(data), chance.randrange(len(data))])]))
        started = time.process_time()
        try:
            pictures = read_tags(kind, file).pictures
            layout = synthesise(kind, file, Wish(TEXT, pictures, COVER))
        except (Malformed, Unservable):
            continue
        finally:
            slowest_s = max(slowest_s, time.process_time() - started)
        assert all(segment.length > 0 for segment in layout.segments)
        assert layout.size > 0
    assert slowest_s < MUTATION_S_MAX


def test_a_number_and_its_total_change_together() -> None:
    before: Tags = {"tracknumber": ("1",), "title": ("a",), "discnumber": ("1",)}
    assert changed_fields(before, {**before, "tracktotal": ("9",)}) == {
        "tracknumber",
        "tracktotal",
    }
    assert changed_fields(before, before) == frozenset()
    assert changed_fields(before, {}) == {
        *("tracknumber", "tracktotal", "title", "discnumber", "disctotal")
    }


@pytest.mark.parametrize("values", [("one",), ("one", "zwei ü"), ("12", "2011")])
def test_every_field_comes_back_from_vorbis_comments(values: tuple[str, ...]) -> None:
    comments = VCommentDict()
    set_comments(comments, every_field(*values))
    assert dict(from_vorbis(comments)) == dict(every_field(*values))
    assert all(name == name.upper() for name, _ in comments)
    set_comments(comments, {})
    assert list(comments) == []


def test_comments_that_say_it_already_stay() -> None:
    comments = VCommentDict()
    pairs = [
        ("Title", " x "),
        ("ALBUM ARTIST", "A"),
        ("metadata_block_picture", "AAAA"),
        ("coverart", "AAAA"),
        ("tracknumber", "3/12"),
        ("YEAR", "1999"),
    ]
    comments.extend(pairs)
    set_comments(comments, from_vorbis(comments))
    assert list(comments) == pairs
    wanted = {"title": ("x",), "date": ("2000",), "tracknumber": ("3",), "tracktotal": ("13",)}
    set_comments(comments, {**wanted, "own key": ("v", "w"), "bad=key": ("v",), "coverart": ("x",)})
    assert list(comments) == [
        ("Title", " x "),
        ("metadata_block_picture", "AAAA"),
        ("coverart", "AAAA"),
        ("DATE", "2000"),
        ("TRACKNUMBER", "3"),
        ("TRACKTOTAL", "13"),
        ("OWN KEY", "v"),
        ("OWN KEY", "w"),
    ]


def test_names_that_no_comment_can_have() -> None:
    assert comment_name("title") == "TITLE"
    assert comment_name("label") == "LABEL"
    for field in ("a=b", "ü", "~", "", "metadata_block_picture"):
        assert comment_name(field) is None


@pytest.mark.parametrize("values", [("one",), ("one", "zwei ü"), ("12", "2011"), ("1/2/3",)])
def test_every_field_comes_back_from_id3(values: tuple[str, ...]) -> None:
    wanted = dict(every_field(*values))
    if values == ("1/2/3",):
        for number in ("tracknumber", "discnumber", "movementnumber"):
            del wanted[number]
        for total in ("tracktotal", "disctotal", "movementtotal"):
            del wanted[total]
    tag = ID3()
    set_frames(tag, wanted)
    file = BytesIO()
    tag.save(file)
    assert dict(from_id3(ID3(BytesIO(file.getvalue())))) == wanted
    set_frames(tag, {})
    assert list(tag) == []
