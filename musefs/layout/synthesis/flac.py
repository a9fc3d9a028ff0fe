"""Re-tagged FLAC files (RFC 9639): the metadata blocks are put together anew, from ranges mostly.

The comment block is rewritten when a field differs, pictures come and go, and one PADDING block
ends the header. Seek tables (which count from the first frame), cue sheets and APPLICATION blocks
stay as they are. An ID3v2 tag in front and an ID3v1 tag behind do not belong there and go.
"""

from __future__ import annotations

from mutagen.flac import Picture as PictureBlock
from mutagen.flac import VCFLACDict

from musefs.layout.flac_blocks import (
    PICTURE,
    STREAMINFO,
    VORBIS_COMMENT,
    Block,
    Blocks,
    flac_blocks,
)
from musefs.layout.pictures import FRONT_COVER
from musefs.layout.ranged import Malformed, RangedFile
from musefs.layout.segments import Art, Backing, Layout
from musefs.layout.synthesis.comment_fields import set_comments
from musefs.layout.synthesis.joining import joined
from musefs.layout.synthesis.parts import Parts
from musefs.layout.tag_ends import ID3V1_BYTES
from musefs.layout.tags import Tags
from musefs.layout.vorbis_comments import vorbis_comments
from musefs.layout.wish import Cover, Unservable, Wish, aligned_padding

BLOCK_BYTES_MAX = (1 << 24) - 1
_PADDING, _LAST, _HEADER_BYTES = 1, 0x80, 4
_VENDOR = "musefs"


def flac(file: RangedFile, wish: Wish) -> Layout:
    """The re-tagged file. Raises Need, Malformed, BoundReached, Unservable."""
    found = flac_blocks(file)
    if not found.blocks or found.blocks[0].kind != STREAMINFO:
        raise Malformed("has FLAC metadata that does not begin with STREAMINFO")
    parts = Parts(file)
    parts.add(b"fLaC")
    _keep(parts, found.blocks[0])
    _put_comments(parts, file, found, wish.tags)
    for block in found.blocks[1:]:
        if block.kind in (_PADDING, VORBIS_COMMENT) or (
            block.kind == PICTURE and not wish.keeps(_picture_kind(file, block))
        ):
            continue
        _keep(parts, block)
    if wish.cover:
        _put_cover(parts, wish.cover)
    padding = aligned_padding(found.audio_start - parts.length - _HEADER_BYTES)
    parts.add(_header(_LAST | _PADDING, padding) + bytes(padding))
    audio_end = _audio_end(file, found.audio_start)
    return joined([*parts.segments(), Backing(found.audio_start, audio_end - found.audio_start)])


def _header(kind: int, length: int) -> bytes:
    if length > BLOCK_BYTES_MAX:
        raise Unservable("would need a FLAC metadata block of 16 MiB or more")
    return bytes([kind]) + length.to_bytes(3, "big")


def _keep(parts: Parts, block: Block) -> None:
    parts.add(_header(block.kind, block.end - block.start))
    if block.kind == PICTURE:
        parts.put(Backing(block.start, block.end - block.start))
    else:
        parts.keep(block.start, block.end)


def _picture_kind(file: RangedFile, block: Block) -> int:
    return int.from_bytes(file.exactly(block.start, 4), "big")


def _put_comments(parts: Parts, file: RangedFile, found: Blocks, tags: Tags) -> None:
    """The comments behind STREAMINFO, as most encoders have them; none where nothing is to say."""
    blocks = found.of(VORBIS_COMMENT)[:1]
    comments = VCFLACDict()
    comments.vendor = _VENDOR
    for block in blocks:
        data = file.exactly(block.start, block.end - block.start)
        vorbis_comments(data)  # raises Malformed for more comments than mutagen should see
        comments = VCFLACDict(data)
    before = list(comments)
    set_comments(comments, tags)
    if blocks and list(comments) == before:
        _keep(parts, blocks[0])
    elif blocks or before != list(comments):
        data = comments.write()
        parts.add(_header(VORBIS_COMMENT, len(data)) + data)


def _put_cover(parts: Parts, cover: Cover) -> None:
    """A PICTURE block (RFC 9639 section 8.8) whose last field, the payload, is a range of art."""
    block = PictureBlock()
    block.type, block.mime = FRONT_COVER, cover.mime
    block.width, block.height, block.depth = cover.dimensions
    fields = block.write()[:-4] + cover.length.to_bytes(4, "big")
    parts.add(_header(PICTURE, len(fields) + cover.length) + fields)
    parts.put(Art(cover.id, 0, cover.length))


def _audio_end(file: RangedFile, audio_start: int) -> int:
    tagged = file.size - audio_start > ID3V1_BYTES
    tail = file.exactly(file.size - ID3V1_BYTES, 3) if tagged else b""
    return file.size - (ID3V1_BYTES if tail == b"TAG" else 0)
