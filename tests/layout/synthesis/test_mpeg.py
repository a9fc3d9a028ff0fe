"""MP3: every version of ID3, frames that stay, and the tags behind the audio."""

from __future__ import annotations

import re
import struct
import subprocess
import time
import zlib
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from mutagen import id3
from mutagen.apev2 import BINARY, APEv2, APEValue
from mutagen.id3 import ID3

from musefs.layout.formats import Format, syncsafe
from musefs.layout.ranged import in_memory
from musefs.layout.segments import Backing
from musefs.layout.synthesis import synthesise
from musefs.layout.wish import PADDING_BYTES_MIN, Unservable, Wish
from tests.layout.synthesis.retagging import GIVEN, TEXT, fastest_s
from tests.layout.synthesis.wishes import WISHES, Retagged, retagged, sample, samples

SAMPLES = samples(".mp3")
AUDIO = sample("untagged.mp3")
FRONT = b"\xff\xd8front" + bytes(range(256)) * 4096
BACK = b"\xff\xd8back" + bytes(range(255, -1, -1)) * 4096


def rich_tag() -> ID3:
    """A tag with all that podcasts, DJ programs and players put into one."""
    tag = ID3()
    tag.add(id3.TIT2(encoding=1, text=["Ein Titel"]))
    tag.add(id3.TPE1(encoding=3, text=["Eins", "Zwei"]))
    tag.add(id3.TIPL(encoding=3, people=[["producer", "P"], ["mix", "M"], ["cook", "K"]]))
    tag.add(id3.TMCL(encoding=3, people=[["guitar", "G (jun.)"]]))
    tag.add(id3.COMM(encoding=3, lang="deu", desc="", text=["Kommentar"]))
    tag.add(id3.COMM(encoding=0, lang="eng", desc="iTunNORM", text=[" 00000A"]))
    tag.add(id3.USLT(encoding=1, lang="deu", desc="", text="La la la\n" * 500))
    tag.add(id3.TXXX(encoding=3, desc="replaygain_track_gain", text=["-7.00 dB"]))
    tag.add(id3.UFID(owner="http://musicbrainz.org", data=b"an-id"))
    tag.add(id3.APIC(encoding=1, mime="image/jpeg", type=3, desc="Über", data=FRONT))
    tag.add(id3.APIC(encoding=0, mime="image/jpeg", type=4, desc="hinten", data=BACK))
    tag.add(id3.PRIV(owner="a.program", data=b"\0\xff\xe0" * 900))
    tag.add(id3.POPM(email="me@here", rating=196, count=12))
    tag.add(id3.PCNT(count=7))
    tag.add(id3.GEOB(encoding=0, mime="a/b", filename="f", desc="d", data=b"geob" * 50))
    tag.add(id3.SYLT(encoding=0, lang="deu", format=2, type=1, desc="", text=[("La", 10)]))
    tag.add(id3.CTOC(element_id="toc", flags=3, child_element_ids=["c1", "c2"], sub_frames=[]))
    for number in (1, 2):
        title = id3.TIT2(encoding=3, text=[f"Kapitel {number} " + "x" * 200])
        image = id3.APIC(encoding=0, mime="image/jpeg", type=0, desc="", data=BACK[:5000])
        tag.add(
            id3.CHAP(
                element_id=f"c{number}",
                start_time=number,
                end_time=number + 1,
                sub_frames=[title, image],
            )
        )
    return tag


def tagged(tag: ID3, version: int = 4) -> bytes:
    """The audio behind a tag."""
    file = BytesIO()
    if version == 3:
        tag.update_to_v23()
    tag.save(file, v2_version=version, padding=lambda _: 100)
    return file.getvalue() + AUDIO


def by_hand(frames: bytes, major: int, flags: int = 0) -> bytes:
    size = bytes(len(frames) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3" + bytes([major, 0, flags]) + size + frames + AUDIO


def frame(name: bytes, body: bytes, flags: int = 0) -> bytes:
    assert len(body) < 128 or not name.startswith(b"!")
    return name + len(body).to_bytes(4, "big") + flags.to_bytes(2, "big") + body


def others(data: bytes) -> dict[str, bytes]:
    """Frames that are neither text nor pictures, as mutagen renders them."""
    found = ID3(BytesIO(data), load_v1=False)
    return {
        key: value._writeData()
        for key, value in found.items()
        if key[:4] in ("PRIV", "POPM", "PCNT", "GEOB", "SYLT", "CTOC", "CHAP", "RVA2")
    }


def check(made: Retagged, folder: Path) -> Any:
    """What holds of every MP3 file; mutagen's view of it."""
    size = 10 + syncsafe(made.data[6:10])
    assert made.data[:6] == b"ID3\4\0\0"
    assert size == made.after.audio_start
    assert made.data[size - PADDING_BYTES_MIN : size] == bytes(PADDING_BYTES_MIN)
    path = folder / "served.mp3"
    path.write_bytes(made.data)
    told = subprocess.run(["mp3val", path], check=True, capture_output=True, timeout=60).stdout
    assert not re.search(b"WARNING|ERROR", told), told
    return made.with_mutagen()


@pytest.mark.parametrize("wish", WISHES)
@pytest.mark.parametrize("name", [*SAMPLES, "rich v2.3", "rich v2.4"])
def test_mp3_files_are_made_as_wished(name: str, wish: str, tmp_path: Path) -> None:
    rich = name.startswith("rich")
    original = tagged(rich_tag(), int(name[-1])) if rich else sample(name)
    made = retagged(Format.MP3, original, wish)
    read = check(made, tmp_path)
    if wish.startswith("text"):
        assert read["TIT2"].text == ["Neuer Titel"]
        assert read["TPE1"].text == ["Erste", "Zweite"]
        assert read["TRCK"].text == ["7/12"]
        assert str(read["TDRC"]) == "2020-05-06"
        assert read["UFID:http://musicbrainz.org"].data.decode() == TEXT["musicbrainz_trackid"][0]
        assert read["TXXX:MY OWN FIELD"].text == ["eigener Wert", "noch einer"]
    if rich:
        assert others(made.data) == others(original)
        assert len(others(original)) == 8
    assert made.data[-128:-125] == original[-128:-125]  # ID3v1 is there if it was


@pytest.mark.parametrize("encoding", [1, 2, 3])
def test_long_lyrics_cost_the_same_in_every_encoding(encoding: int) -> None:
    tag = ID3()
    lyrics = "Là la la\n" * 25_000
    tag.add(id3.USLT(encoding=encoding, lang="deu", desc="Ö", text=lyrics))
    tag.add(id3.TXXX(encoding=encoding, desc="Ä", text=["x" * 600, "ü" * 600]))
    made = retagged(Format.MP3, tagged(tag), "no change")
    assert made.with_mutagen()["USLT:Ö:deu"].text == lyrics
    assert made.with_mutagen()["TXXX:Ä"].text == ["x" * 600, "ü" * 600]
    wish = Wish(made.wish.tags)
    assert fastest_s(partial(synthesise, Format.MP3), made.original, wish) < 0.01


def test_chapters_of_id3v23_are_translated() -> None:
    made = retagged(Format.MP3, tagged(rich_tag(), 3), "text")
    chapter = made.with_mutagen()["CHAP:c2"]
    assert chapter.sub_frames["TIT2"].text == ["Kapitel 2 " + "x" * 200]
    assert chapter.sub_frames["APIC:"].data == BACK[:5000]
    assert BACK[:64] in made.data
    assert BACK[100:164] not in made.synthesised


def test_only_what_differs_is_written_anew() -> None:
    original = tagged(rich_tag())
    before = retagged(Format.MP3, original, "no change").before
    tags = {**before.tags, "producer": ("Q",), "itunnorm": ("x",), "genre": ("(17)Rock", "RX")}
    read = retagged(Format.MP3, original, tags).with_mutagen()
    assert read["TIT2"].encoding == 1  # as its tagger wrote it
    assert sorted(read["TIPL"].people) == [["cook", "K"], ["mix", "M"], ["producer", "Q"]]
    assert read["TMCL"].people == [["guitar", "G (jun.)"]]
    assert read["COMM:iTunNORM:eng"].text == ["x"]
    assert read["TXXX:GENRE"].text == ["(17)Rock", "RX"]
    assert "TCON" not in read


def test_credits_dates_and_addresses_come_back_exactly() -> None:
    tags = {
        "performer": ("A (guitar)", "B", "C (x) (y (z))"),
        "date": ("im Sommer 1969",),
        "originaldate": ("1969-07", "1970"),
        "website": ("http://a", "http://ü"),
        "license": ("http://b",),
        "wcom": ("http://shop",),
        "tlen": ("1234",),
        "discnumber": ("1", "2"),
        "disctotal": ("3", "4"),
        "tracktotal": ("9",),
        "musicbrainz_trackid": ("a", "b"),
        "time": ("1200",),
        "straße": ("x",),
    }
    read = retagged(Format.MP3, AUDIO, tags).with_mutagen()
    assert read["TMCL"].people == [["guitar", "A"], ["", "B"], ["y (z)", "C (x)"]] or (
        [entry[1] for entry in read["TMCL"].people][:2] == ["A", "B"]
    )
    assert read["TRCK"].text == ["/9"]
    assert read["WCOM:http://shop"].url == "http://shop"
    assert read["TLEN"].text == ["1234"]


def test_a_tag_that_is_unsynchronised_frame_by_frame_stays_readable() -> None:
    body = b"owner\0" + b"\xff\xe0\xff\0" * 20
    encoded = body.replace(b"\xff", b"\xff\0")
    frames = frame(b"PRIV", encoded) + frame(b"TIT2", b"\0Titel")
    original = by_hand(frames, 4, 0x80)
    assert others(retagged(Format.MP3, original, "text").data) == {
        f"PRIV:owner:{body[6:].decode('latin-1')}": body
    }


def test_frame_flags_of_id3v23_are_translated() -> None:
    plain = b"owner\0" + bytes(300)
    packed = struct.pack(">I", len(plain)) + zlib.compress(plain)
    grouped = b"\x07" + b"other\0xyz"
    frames = frame(b"PRIV", packed, 0x80) + frame(b"PRIV", grouped, 0x4020)
    made = retagged(Format.MP3, by_hand(frames + frame(b"TIT2", b"\0T"), 3), "no change")
    assert f"PRIV:owner:{bytes(300).decode()}" in others(made.data)
    place = made.data.index(b"\x07other\0xyz")
    assert made.data[place - 2 : place] == b"\x20\x40"


def test_frames_of_id3v22_get_their_new_names() -> None:
    def short(name: bytes, body: bytes) -> bytes:
        return name + len(body).to_bytes(3, "big") + body

    frames = short(b"TT2", b"\0T") + short(b"POP", b"me\0\xc4\0\0\0\7") + short(b"XXX", b"??")
    made = retagged(Format.MP3, by_hand(frames, 2), "no change")
    rating = made.with_mutagen()["POPM:me"]
    assert (rating.rating, rating.count) == (196, 7)


def test_a_second_tag_in_front_goes() -> None:
    doubled = by_hand(frame(b"TIT2", b"\0A"), 4)[: -len(AUDIO)] + tagged(rich_tag())
    made = retagged(Format.MP3, doubled, {"title": ("A",)})
    assert made.data.count(b"ID3\4") == 1


def test_apev2_alone_becomes_id3() -> None:
    file = BytesIO(AUDIO)
    ape = APEv2()
    ape["Title"], ape["Artist"], ape["Own"] = "Titel", ["Eins", "Zwei"], "x"
    ape["Cover Art (Front)"] = APEValue(b"cover.jpg\0" + FRONT, BINARY)
    ape.save(file)
    original = file.getvalue()
    before = in_memory(original)
    tags = {"title": ("Titel",), "artist": ("Eins", "Zwei"), "own": ("x",)}
    picture = type(retagged(Format.MP3, sample("v24.mp3"), "text").before.pictures[0])
    place = original.index(FRONT)
    wish = Wish(tags, [picture(3, "image/jpeg", place, len(FRONT))])
    layout = synthesise(Format.MP3, before, wish)
    served = ID3(BytesIO(b"".join(_bytes(part, original) for part in layout.segments)))
    assert served["TPE1"].text == ["Eins", "Zwei"]
    assert served["APIC:"].data == FRONT
    assert layout.segments[-1] == Backing(0, len(AUDIO))
    assert Backing(place, len(FRONT)) in layout.segments


def _bytes(part: Any, original: bytes) -> bytes:
    if isinstance(part, Backing):
        return original[part.offset : part.offset + part.length]
    data = part.data
    assert isinstance(data, bytes)
    return data


def test_id3v1_says_the_same() -> None:
    tags = {"title": ("Ein langer Titel, länger als dreißig Zeichen",), "artist": ("ab",)}
    tags |= {"tracknumber": ("5",), "date": ("1999",), "comment": ("hm",), "genre": ("Jazz",)}
    last = retagged(Format.MP3, sample("ape_v1.mp3"), tags).data[-128:]
    title = "Ein langer Titel, länger als dreißig Zeichen".encode("latin-1")[:30]
    comment = b"hm".ljust(28, b"\0")
    expected = b"TAG" + title + b"ab".ljust(30, b"\0") + bytes(30) + b"1999" + comment + b"\0\5\x08"
    assert last == expected
    made = retagged(Format.MP3, sample("v1.mp3"), "nothing")
    assert made.data[-128:] == b"TAG" + bytes(124) + b"\xff"
    assert b"APETAGEX" not in retagged(Format.MP3, sample("ape_v1.mp3"), "text").data


def test_more_than_a_tag_can_hold_is_refused() -> None:
    cover = type(GIVEN)(GIVEN.id, GIVEN.mime, 9000, 9000, 1 << 28)
    with pytest.raises(Unservable, match="256 MiB"):
        synthesise(Format.MP3, in_memory(AUDIO), Wish({}, (), cover))


@pytest.mark.parametrize(
    "frames",
    [
        frame(b"TPE1", b"\0" * 3_000_000),
        frame(b"TXXX", b"\3a\0" + b"\0" * 2000),
        frame(b"TIT2", struct.pack(">I", 1 << 30) + zlib.compress(bytes(50_000_000)), 0x80),
        frame(b"PCNT", b"1") * 5000,
        frame(b"CHAP", b"c\0" + bytes(16) + frame(b"PCNT", b"1") * 5000),
    ],
    ids=["many values", "many values of TXXX", "compressed", "many frames", "a deep chapter"],
)
def test_hostile_tags_are_refused_at_once(frames: bytes) -> None:
    started = time.process_time()
    with pytest.raises(Unservable):
        synthesise(Format.MP3, in_memory(by_hand(frames, 3)), Wish({"title": ("x",)}))
    assert time.process_time() - started < 1
