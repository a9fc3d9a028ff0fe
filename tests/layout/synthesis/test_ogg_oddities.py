"""Re-tagged Ogg files: odd comments, blocks and headers, and what is refused."""

from __future__ import annotations

import struct
from base64 import b64decode
from dataclasses import replace
from io import BytesIO

import pytest
from mutagen.flac import Picture as PictureBlock
from mutagen.ogg import OggPage

from musefs.layout.formats import Format
from musefs.layout.ogg_crc import checksum, mirrored
from musefs.layout.ogg_headers import ogg_headers
from musefs.layout.ogg_pages import page_heads
from musefs.layout.pictures import Picture
from musefs.layout.ranged import Malformed, in_memory
from musefs.layout.segments import Backing
from musefs.layout.synthesis.ogg import ogg
from musefs.layout.synthesis.ogg_packets import header_packets
from musefs.layout.tags import Tags
from musefs.layout.wish import Unservable, Wish
from tests.layout.synthesis.ogg_files import (
    CLASSES,
    bytes_of,
    given_cover,
    make,
    ogg_files,
    picture_comment,
    raw_comments,
    read,
    remade,
    repaged,
)
from tests.layout.test_containers import COMMENTS, page


def opus_file(comments: list[bytes], suffix: bytes = b"", chunk: int = 65_025) -> bytes:
    """The Opus sample with other comments."""
    original = ogg_files()["opus"].data
    body = b"OpusTags" + struct.pack("<I4sI", 4, b"test", len(comments))
    body += b"".join(struct.pack("<I", len(comment)) + comment for comment in comments) + suffix
    return with_comment_packet(original, body, chunk)


def with_comment_packet(original: bytes, packet: bytes, chunk: int) -> bytes:
    file = BytesIO(original)
    found = []
    while file.tell() < len(original):
        found.append(OggPage(file))
    new = OggPage.from_packets([packet], sequence=1, default_size=chunk, wiggle_room=0)
    for header in new:
        header.serial, header.position = found[0].serial, 0 if header.complete else -1
    audio = [each for each in found[1:] if each.position > 0]
    for number, each in enumerate(audio, 1 + len(new)):
        each.sequence = number
    return b"".join(each.write() for each in [found[0], *new, *audio])


def test_comments_that_stay_are_not_touched_however_odd() -> None:
    odd = [b"TITLE=Bad \xff UTF-8", b"no name", b"=no key", b"Artist=A", b"ARTIST=B", b"x~=tilde"]
    data = opus_file([*odd, b"album=Old"])
    reading = read(Format.OPUS, data)
    _, same = remade(data, Wish(reading.tags))
    assert sorted(raw_comments(ogg_headers(in_memory(same)).comment)) == sorted(
        [*odd, b"album=Old"]
    )
    _, changed = remade(data, Wish({**reading.tags, "album": ("New",)}))
    comments = raw_comments(ogg_headers(in_memory(changed)).comment)
    assert sorted(comments) == sorted([*odd, b"ALBUM=New"])


def test_texts_come_before_pictures() -> None:
    picture = b"METADATA_BLOCK_PICTURE=" + picture_comment(b"x" * 5000, 4).encode()
    data = opus_file([picture, b"TITLE=T"])
    _, out = remade(data, Wish({"title": ("T",)}))
    assert raw_comments(ogg_headers(in_memory(out)).comment) == [b"TITLE=T", picture]


def test_old_ways_to_embed_a_cover_go_with_it() -> None:
    old = [b"COVERART=" + b"QUJD" * 500, b"COVERARTMIME=image/png"]
    broken = b"METADATA_BLOCK_PICTURE=?"
    back = b"METADATA_BLOCK_PICTURE=" + picture_comment(b"x" * 5000, 4).encode()
    data = opus_file([b"TITLE=T", *old, broken, back])

    def kept(wish: Wish) -> list[bytes]:
        return raw_comments(ogg_headers(in_memory(remade(data, wish)[1])).comment)

    tags: Tags = {"title": ("T",)}
    assert kept(Wish(tags)) == [b"TITLE=T", *old, broken, back]
    assert kept(Wish(tags, bare=True)) == [b"TITLE=T"]
    assert kept(Wish(tags, cover=given_cover()))[:2] == [b"TITLE=T", back]
    assert len(kept(Wish(tags, cover=given_cover()))) == 3


def test_what_follows_opus_comments_is_kept_when_it_is_no_padding() -> None:
    suffix = b"\1binary" + bytes(range(256)) * 20
    data = opus_file([b"TITLE=T"], suffix, chunk=600)
    for tags in ({"title": ("T",)}, {"title": ("Longer " * 5000,)}, {}):
        layout, out = remade(data, Wish(tags))
        assert header_packets(in_memory(out)).packets[0].data.endswith(suffix)
        assert read(Format.OPUS, out).tags == {f: (v[0].strip(),) for f, v in tags.items()}
    padded = opus_file([b"TITLE=T"], bytes(9000))
    layout, _ = remade(padded, Wish({"title": ("U",)}))
    assert isinstance(layout.segments[-1], Backing)


def test_many_header_pages_are_kept_with_padding_or_given_up() -> None:
    picture = b"METADATA_BLOCK_PICTURE=" + picture_comment(b"x" * 200_000, 3).encode()
    for chunk, kept in ((4_000, True), (255, False)):
        data = opus_file([b"TITLE=T", picture], chunk=chunk)
        layout, out = remade(data, Wish({"title": ("T",)}, bare=True))
        assert isinstance(layout.segments[-1], Backing) == kept
        assert read(Format.OPUS, out).tags == {"title": ("T",)}


def flac_blocks_of(data: bytes) -> list[tuple[int, int]]:
    """(kind with the last-flag, length) of the packets; lengths agree with the packets'."""
    headers = header_packets(in_memory(data))
    blocks = [(p.data[0], int.from_bytes(p.data[1:4], "big")) for p in headers.packets]
    assert [length + 4 for _, length in blocks] == [len(p.data) for p in headers.packets]
    assert int.from_bytes(headers.identification[7:9], "big") == len(blocks)
    return blocks


def test_flac_blocks_are_counted_and_the_last_is_marked() -> None:
    data = ogg_files()["flac, blocks"].data
    assert [kind for kind, _ in flac_blocks_of(data)] == [4, 3, 0x86]
    assert [kind for kind, _ in flac_blocks_of(remade(data, Wish({}))[1])] == [4, 3, 6, 0x81]
    # The picture is no comment: players do not see it, and a new cover takes its place.
    for wish in (Wish({}, cover=given_cover()), Wish({}, bare=True)):
        assert [kind for kind, _ in flac_blocks_of(remade(data, wish)[1])] == [4, 3, 0x81]


def test_a_flac_file_that_does_not_count_its_headers_goes_on_so() -> None:
    data = ogg_files()["flac"].data
    first = bytearray(data[28:79])
    first[7:9] = bytes(2)
    page = bytearray(data[:28] + first)
    page[22:26] = bytes(4)
    page[22:26] = struct.pack("<I", checksum([mirrored(bytes(page))]))
    uncounted = bytes(page) + data[79:]
    _, out = remade(uncounted, Wish({"title": ("T",)}))
    assert header_packets(in_memory(out)).identification[7:9] == bytes(2)
    assert read(Format.OGGFLAC, out).tags == {"title": ("T",)}


def relabelled(data: bytes, serial: int) -> bytes:
    """The same stream under another serial number, with right checksums."""
    out = bytearray(data)
    for head in page_heads(data, 0, None):
        struct.pack_into("<III", out, head.start + 14, serial, head.sequence, 0)
        page = bytes(out[head.start : head.start + head.bytes])
        crc = checksum([mirrored(page)])
        struct.pack_into("<I", out, head.start + 22, crc)
    return bytes(out)


def refusal(data: bytes) -> str:
    with pytest.raises((Unservable, Malformed)) as caught:
        make(data, Wish({"title": ("T",)}))
    return str(caught.value)


@pytest.mark.parametrize("name", ["vorbis", "opus", "flac"])
def test_files_of_several_streams_are_refused(name: str) -> None:
    data = ogg_files()[name].data
    other = relabelled(data, 4711)
    assert "chain" in refusal(data + other)
    assert "chain" in refusal(data + other + b"TAG".ljust(128, b"\0"))
    assert "chain" in refusal(data + data[:200])
    first = list(page_heads(data, 0, None))[1].start
    assert "several" in refusal(data[:first] + other)
    assert "several" in refusal(other[:first] + data)
    skeleton = relabelled(data[:first], 1).replace(data[28:36], b"fishead\0")
    assert refusal(skeleton + data)


def test_odd_headers_are_refused() -> None:
    data = ogg_files()["vorbis"].data
    heads = list(page_heads(data, 0, None))

    def with_field(page: int, offset: int, value: bytes) -> bytes:
        place = heads[page].start + offset
        return data[:place] + value + data[place + len(value) :]

    assert "position" in refusal(with_field(1, 6, struct.pack("<q", 5)))
    assert "position" in refusal(with_field(1, 5, b"\4"))
    assert "several" in refusal(with_field(0, 5, b"\0"))
    assert "several" in refusal(with_field(1, 5, b"\2"))
    assert refusal(data[:3000])
    assert refusal(with_field(0, 28, b"\1nobody"))
    assert "ends in" in refusal(data + b"x" * 200_000)
    assert "audio on the last page" in refusal(repaged(data, 3, 65_025))


def test_a_file_without_audio_and_one_that_is_cut_off_are_made() -> None:
    for name in ("vorbis", "opus", "flac"):
        kind, data = ogg_files()[name].kind, ogg_files()[name].data
        start = header_packets(in_memory(data)).audio_start
        for end in (start, len(data) - 500):
            layout, out = remade(data[:end], Wish({"title": ("T",)}, cover=given_cover()))
            assert layout.size == len(out)
            assert read(kind, out).tags == {"title": ("T",)}


def test_a_cover_whose_bytes_are_not_given_is_refused() -> None:
    data = ogg_files()["opus"].data
    for cover in (replace(given_cover(), data=None), replace(given_cover(), length=5)):
        with pytest.raises(Unservable, match="bytes are needed"):
            ogg(in_memory(data), Wish({}, cover=cover))


def test_speex_is_refused() -> None:
    head = b"Speex   ".ljust(36, b"\0") + struct.pack("<I", 16_000)
    data = page(5, [head.ljust(80, b"\0")], 2) + page(5, [COMMENTS]) + page(5, [b"audio"])
    assert "does not change" in refusal(data)


@pytest.mark.parametrize("width", [0, 1, 2])
@pytest.mark.parametrize("mime", ["image/png", "image/jpeg", "image/webp2"])
def test_covers_of_any_length_are_told_in_their_own_text(mime: str, width: int) -> None:
    length = given_cover().length - width
    data = (given_cover().data or b"")[:length]
    cover = replace(given_cover(), mime=mime, length=length, data=data)
    original = ogg_files()["vorbis"].data
    out = bytes_of(list(ogg(in_memory(original), Wish({}, cover=cover)).segments), original, data)
    assert read(Format.VORBIS, out).pictures == (Picture(3, mime, None, length),)
    tags = CLASSES[Format.VORBIS](BytesIO(out)).tags
    block = PictureBlock(b64decode(tags["metadata_block_picture"][0]))
    assert block.data == data
    assert (block.type, block.mime, block.desc.strip()) == (3, mime, "")
