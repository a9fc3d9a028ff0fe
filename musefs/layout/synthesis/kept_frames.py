"""The frames of an ID3v2 tag that a new ID3v2.4 tag keeps, without decoding them.

Pictures, private frames, ratings, volume, chapters and whatever else is no text: the body is the
same in ID3v2.3 and ID3v2.4, and mostly in ID3v2.2; the header is translated (ID3v2.4 structure,
section 4; ID3v2.3, section 3.3). Chapters hold frames, which are translated in turn (ID3v2 Chapter
Frame Addendum). Bodies are ranges of the file, unless the tag is unsynchronised as a whole.
"""

from __future__ import annotations

from dataclasses import replace

from mutagen.id3 import Frames, Frames_2_2

from musefs.layout.id3_frames import (
    FRAMES_MAX,
    Body,
    Frame,
    frames_body,
    readable,
    walk_frames,
)
from musefs.layout.pictures import OTHER_PICTURE, Picture, id3_picture
from musefs.layout.ranged import RangedFile
from musefs.layout.segments import Art, Backing
from musefs.layout.synthesis.parts import Parts
from musefs.layout.synthesis.sizes import to_syncsafe
from musefs.layout.wish import Unservable, Wish

FRAME_BYTES_MAX = (1 << 28) - 1
_CHAPTER_HEAD_BYTES = 8192
# Offsets into the file, or into the old tag: wrong as soon as the audio moves.
_PLACES = frozenset({"ASPI", "SEEK"})


def kept_frames(file: RangedFile, start: int, wish: Wish) -> Parts:
    """The frames that are no text, as ID3v2.4 has them, of the tag at `start`.

    Raises Need, BoundReached and Unservable.
    """
    parts = Parts(file)
    body = frames_body(file, start)
    if body is None:
        return parts
    if body.file is not file:
        body = replace(body, plain=True)  # the copy is decoded
    for frame in walk_frames(body):
        if frame.name in ("APIC", "PIC"):
            _keep_picture(parts, body, frame, wish)
        elif not _is_text(frame, body.major):
            _keep(parts, body, frame, nested=False)
    return parts


def put_picture(parts: Parts, kind: int, mime: str, payload: Art | Backing) -> None:
    """An APIC frame without a description (ID3v2.4 frames, section 4.14)."""
    head = b"\0" + mime.encode("latin-1", "replace") + bytes([0, kind, 0])
    parts.add(frame_header("APIC", len(head) + payload.length) + head)
    parts.put(payload)


def frame_header(name: str, length: int, flags: int = 0) -> bytes:
    """The ten bytes in front of a frame's body of `length` bytes. Raises Unservable."""
    if length > FRAME_BYTES_MAX:
        raise Unservable("would need an ID3v2 frame of 256 MiB or more")
    return name.encode("ascii") + to_syncsafe(length) + flags.to_bytes(2, "big")


def _is_text(frame: Frame, major: int) -> bool:
    """Whether mutagen has decoded the frame. Raises Unservable for text that it must not see."""
    known = frame.name in (Frames_2_2 if major == 2 else Frames)
    if not known or frame.flags & (0x40 if major == 3 else 0x04):  # encrypted
        return False
    if readable(frame, major):
        return True
    if frame.name[0] in "TW" or frame.name in ("COMM", "USLT", "UFID", "IPLS"):
        raise Unservable("has compressed text in its ID3v2 tag")
    return False


def _keep_picture(parts: Parts, body: Body, frame: Frame, wish: Wish) -> None:
    start, low = frame.start, frame.flags & 0xFF
    if body.major == 4 and low == 0x01:  # a data length indicator alone
        start, low = start + 4, 0
    plain = body.plain and not low
    picture = id3_picture(body.file, start, frame.end, body.major, plain)
    if not wish.keeps(picture.kind if picture else OTHER_PICTURE):
        return
    if picture is None or picture.offset is None:
        _keep(parts, body, frame, nested=False)
        return
    head = _picture_head(body, start, picture)
    parts.add(frame_header("APIC", len(head) + picture.length) + head)
    _put_range(parts, body, picture.offset, picture.offset + picture.length, inline=False)


def _picture_head(body: Body, start: int, picture: Picture) -> bytes:
    """Encoding, media type, kind and description; ID3v2.2 has three letters for the type."""
    assert picture.offset is not None
    head = body.file.exactly(start, picture.offset - start)
    if body.major > 2:
        return head
    return head[:1] + picture.mime.encode("latin-1", "replace") + b"\0" + head[4:]


def _keep(parts: Parts, body: Body, frame: Frame, *, nested: bool) -> None:
    name = frame.name if body.major > 2 else _name_of_v22(frame.name)
    if name is None or name in _PLACES:
        return
    if body.major == 4:
        flags = frame.flags | (0 if body.plain else 0x02)
        parts.add(frame_header(name, frame.end - frame.start, flags))
        _put_range(parts, body, frame.start, frame.end)
    elif name in ("CHAP", "CTOC") and not nested and not frame.flags & 0xFF:
        _keep_chapter(parts, body, frame)
    else:
        _keep_translated(parts, body, frame, name)


def _name_of_v22(name: str) -> str | None:
    """ID3v2.2 names have three letters. None where the body is of another shape."""
    frame = Frames_2_2.get(name)
    base = frame.__base__.__name__ if frame else ""
    return base if base in Frames and name not in ("LNK", "PIC") else None


def _keep_translated(parts: Parts, body: Body, frame: Frame, name: str) -> None:
    """Behind the header ID3v2.3 has size, encryption and group, ID3v2.4 group, encryption, size."""
    old, start = frame.flags, frame.start
    size = encryption = group = b""
    if old & 0x80:
        plain_bytes = int.from_bytes(body.file.exactly(start, 4), "big")
        size, start = to_syncsafe(min(plain_bytes, FRAME_BYTES_MAX)), start + 4
    if old & 0x40:
        encryption, start = body.file.exactly(start, 1), start + 1
    if old & 0x20:
        group, start = body.file.exactly(start, 1), start + 1
    new = (old & 0xE000) >> 1 | (0x09 if size else 0) | (0x04 if encryption else 0)
    new |= 0x40 if group else 0
    prefix = group + encryption + size
    parts.add(frame_header(name, len(prefix) + max(0, frame.end - start), new) + prefix)
    _put_range(parts, body, min(start, frame.end), frame.end)


def _keep_chapter(parts: Parts, body: Body, frame: Frame) -> None:
    """The fixed part of a CHAP or CTOC frame, then its frames."""
    head = body.file.exactly(frame.start, min(frame.end - frame.start, _CHAPTER_HEAD_BYTES))
    fixed = head.find(b"\0") + 1
    if frame.name == "CHAP":
        fixed += 16
    else:
        children, fixed = head[fixed + 1 : fixed + 2], fixed + 2
        for _ in range(children[0] if children else 0):
            fixed = head.find(b"\0", fixed) + 1 or len(head)
    inner = Parts(body.file)
    inside = Body(body.file, frame.start + min(fixed, len(head)), frame.end, 3, True)
    for count, sub in enumerate(walk_frames(inside)):
        if count >= FRAMES_MAX:
            raise Unservable(f"has a chapter of more than {FRAMES_MAX} ID3v2 frames")
        _keep(inner, inside, sub, nested=True)
    length = inside.start - frame.start
    flags = (frame.flags & 0xE000) >> 1
    parts.add(frame_header(frame.name, length + inner.length, flags) + head[:length])
    parts.extend(inner)


def _put_range(parts: Parts, body: Body, start: int, end: int, *, inline: bool = True) -> None:
    """Bytes of the body; a copy of them where it does not stand in the file as it is."""
    in_file = body.file.extents is parts.file.extents
    if not in_file:
        parts.add(body.file.exactly(start, end - start))
    elif inline:
        parts.keep(start, end)
    else:
        parts.put(Backing(start, end - start))
