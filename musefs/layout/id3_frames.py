"""The frames of an ID3v2 tag, found by hopping from header to header.

Only frames that hold text are read. They are put together to a small tag without pictures and
padding, which mutagen then decodes: it copies the rest of the tag once per frame, and it inflates
compressed frames without a limit, so it must not see the tag of a stranger as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from mutagen.id3 import ID3, Frames, ParseID3v1

from musefs.layout.formats import syncsafe
from musefs.layout.pictures import Picture, id3_picture
from musefs.layout.ranged import Malformed, RangedFile, in_memory

FRAMES_MAX = 4096
VALUES_MAX = 1024
LINE_BYTES_MAX = 64 << 10
TEXT_BYTES_MAX = 1 << 20  # mutagen decodes UTF-16 byte by byte
_BATCH_FRAMES = 128
_INFLATED_FRAME_BYTES_MAX = 4096  # deflate grows a thousandfold at most: 4 MiB

_UNSYNCHRONISED, _EXTENDED, _FOOTER = 0x80, 0x40, 0x10
_TEXT_FRAMES = frozenset(
    {"COMM", "USLT", "UFID", "IPLS", "MVNM", "MVIN", "GRP1"}  # ID3v2.3, ID3v2.4, Apple
    | {"COM", "ULT", "UFI", "IPL", "MVN", "MVI", "GP1"}  # ID3v2.2
)
_LONG_TEXTS = frozenset({"COMM", "USLT", "TXXX", "COM", "ULT", "TXX"})
_FRAME_ID = re.compile(rb"[A-Z][A-Z0-9]{2,3} ?\Z")


@dataclass(frozen=True, slots=True)
class Id3Tag:
    """Frames with text, headers included, and where the pictures are. `end`: behind the tag."""

    end: int
    major: int
    unsynchronised: bool
    frames: tuple[bytes, ...]
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame's name and flags, and its body: [start, end) of the file that holds it."""

    name: str
    flags: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Body:
    """The frames' part of a tag: [start, end) of a file, `plain` when it stands there as it is."""

    file: RangedFile
    start: int
    end: int
    major: int
    plain: bool

    @property
    def header_bytes(self) -> int:
        """Of every frame's header."""
        return 6 if self.major == 2 else 10


def read_id3(file: RangedFile, start: int = 0) -> Id3Tag | None:
    """The ID3v2 tag at an offset, None when there is none. Raises Malformed."""
    head = file.at(start, 10)
    if head[:3] != b"ID3" or len(head) < 10:
        return None
    major, flags = head[3], head[5]
    end = start + 10 + syncsafe(head[6:10]) + (10 if flags & _FOOTER and major == 4 else 0)
    if end > file.size:
        raise Malformed("is cut off inside its ID3v2 tag")
    body = frames_body(file, start)
    if body is None:
        return Id3Tag(end, 4, False, (), ())
    frames, pictures = _collect(body)
    return Id3Tag(end, major, major == 4 and not body.plain, frames, pictures)


def frames_body(file: RangedFile, start: int) -> Body | None:
    """The frames of the tag at `start`; None for unknown versions and 2.2's undefined compression.

    Where the whole tag is unsynchronised (before ID3v2.4), in a decoded copy.
    """
    head = file.exactly(start, 10)
    major, flags, end = head[3], head[5], start + 10 + syncsafe(head[6:10])
    if major not in (2, 3, 4) or (major == 2 and flags & _EXTENDED):
        return None
    body = Body(file, start + 10, end, major, not flags & _UNSYNCHRONISED)
    if flags & _UNSYNCHRONISED and major < 4:  # frame sizes count decoded bytes
        raw = file.exactly(start + 10, end - start - 10).replace(b"\xff\x00", b"\xff")
        body = Body(in_memory(raw), 0, len(raw), major, False)
    return _without_extended_header(body) if flags & _EXTENDED else body


def decode(tag: Id3Tag) -> Any:
    """mutagen's ID3 of a tag's text frames, in terms of ID3v2.4. Raises mutagen.MutagenError."""
    decoded = ID3()
    for first in range(0, len(tag.frames), _BATCH_FRAMES):
        body = b"".join(tag.frames[first : first + _BATCH_FRAMES])
        flags = _UNSYNCHRONISED if tag.unsynchronised else 0
        head = b"ID3" + bytes([tag.major, 0, flags]) + _to_syncsafe(len(body))
        # Years and dates may be in different batches, hence one translation at the end.
        batch = ID3(BytesIO(head + body), translate=False, load_v1=False)
        if first == 0:
            decoded = batch
        else:
            for frame in batch.values():
                decoded.add(frame)
    decoded.update_to_v24()
    return decoded


def add_id3v1(decoded: Any, tag: bytes) -> None:
    """Fill what an ID3v2 tag does not say from the 128 bytes of an ID3v1 tag (ID3v1.1)."""
    for frame in (ParseID3v1(tag) or {}).values():
        if not decoded.getall(frame.HashKey):
            decoded.add(frame)


def _without_extended_header(body: Body) -> Body:
    """ID3v2.3 section 3.2 (size without itself), ID3v2.4 section 3.2 (size with itself)."""
    size = body.file.exactly(body.start, 4)
    if size.decode("latin-1") in Frames:  # the flag is set, yet frames follow at once
        return body
    length = syncsafe(size) if body.major == 4 else int.from_bytes(size, "big") + 4
    return Body(body.file, body.start + length, body.end, body.major, body.plain)


def _collect(body: Body) -> tuple[tuple[bytes, ...], tuple[Picture, ...]]:
    frames: list[bytes] = []
    pictures: list[Picture] = []
    text_bytes = 0
    for count, frame in enumerate(walk_frames(body)):
        if count >= FRAMES_MAX:
            raise Malformed(f"has an ID3v2 tag of more than {FRAMES_MAX} frames")
        if frame.name in ("APIC", "PIC"):
            picture = _picture(body, frame)
            pictures += [picture] if picture else []
        elif readable(frame, body.major):
            text_bytes += frame.end - frame.start
            if text_bytes > TEXT_BYTES_MAX:
                raise Malformed(
                    f"has an ID3v2 tag with more than {TEXT_BYTES_MAX >> 20} MiB of text"
                )
            frames.append(_rendered(body, frame))
    return tuple(frames), tuple(pictures)


def walk_frames(body: Body) -> Iterator[Frame]:
    """The frames one after another, up to the padding or to bytes that are no frame."""
    position, header = body.start, body.header_bytes
    while position + header < body.end:
        head = body.file.at(position, header)
        name_bytes = 3 if body.major == 2 else 4
        if len(head) < header or not _FRAME_ID.match(head[:name_bytes]):
            return  # padding, or bytes that are no frame: nothing can follow
        size = _frame_size(body, position, head)
        end = position + header + size
        if end > body.end:
            return
        flags = int.from_bytes(head[8:10], "big") if body.major > 2 else 0
        if size:
            yield Frame(head[:name_bytes].decode("ascii"), flags, position + header, end)
        position = end


def _frame_size(body: Body, position: int, head: bytes) -> int:
    """ID3v2.4 sizes are syncsafe, but iTunes used to write plain ones: see which one leads on."""
    if body.major == 2:
        return int.from_bytes(head[3:6], "big")
    plain = int.from_bytes(head[4:8], "big")
    if body.major == 3 or plain < 0x80:
        return plain
    safe = syncsafe(head[4:8])
    if any(byte & 0x80 for byte in head[4:8]):
        return plain
    return (
        safe if _leads_on(body, position + 10 + safe) else _if_better(body, position, plain, safe)
    )


def _if_better(body: Body, position: int, plain: int, safe: int) -> int:
    return plain if _leads_on(body, position + 10 + plain) else safe


def _leads_on(body: Body, position: int) -> bool:
    if position >= body.end:
        return position == body.end
    following = body.file.at(position, min(4, body.end - position))
    return not any(following) or bool(_FRAME_ID.match(following))


def _compressed(frame: Frame, major: int) -> bool:
    return bool(frame.flags & (0x0080 if major == 3 else 0x0008 if major == 4 else 0))


def readable(frame: Frame, major: int) -> bool:
    """A frame with text that mutagen may be given."""
    if frame.name[0] not in "TW" and frame.name not in _TEXT_FRAMES:
        return False
    return not _compressed(frame, major) or frame.end - frame.start <= _INFLATED_FRAME_BYTES_MAX


def _rendered(body: Body, frame: Frame) -> bytes:
    """The frame with the header that its version prescribes."""
    data = body.file.exactly(frame.start, frame.end - frame.start)
    _check_effort(frame.name, data)
    name = frame.name.encode("ascii")
    if body.major == 2:
        return name + len(data).to_bytes(3, "big") + data
    size = _to_syncsafe(len(data)) if body.major == 4 else len(data).to_bytes(4, "big")
    return name + size + frame.flags.to_bytes(2, "big") + data


def _check_effort(name: str, data: bytes) -> None:
    """mutagen copies the rest of a frame once per value, and genres in brackets are worse."""
    if name not in _LONG_TEXTS and len(data) > LINE_BYTES_MAX:
        raise Malformed(f"has an ID3v2 frame {name} larger than {LINE_BYTES_MAX >> 10} KiB")
    wide = data[:1] in (b"\1", b"\2")
    if data.count(b"\0\0" if wide else b"\0") > VALUES_MAX:
        raise Malformed(f"has an ID3v2 frame {name} of more than {VALUES_MAX} values")


def _picture(body: Body, frame: Frame) -> Picture | None:
    start, low = frame.start, frame.flags & 0xFF
    if body.major == 4 and low == 0x01:  # a data length indicator alone: four bytes in front
        start, low = start + 4, 0
    plain = body.plain and not low
    return id3_picture(body.file, start, frame.end, body.major, plain)


def _to_syncsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))
