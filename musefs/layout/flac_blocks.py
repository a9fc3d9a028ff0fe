"""The metadata blocks of a FLAC stream (RFC 9639 section 8), found by hopping over them.

Padding, seek tables and pictures are never read, however large. Leading ID3v2 tags, which some
taggers put in front of the stream against the specification, are skipped.
"""

from __future__ import annotations

from dataclasses import dataclass

from musefs.layout.ranged import Malformed, RangedFile, parsed_once
from musefs.layout.tag_ends import skip_id3v2

STREAMINFO, VORBIS_COMMENT, PICTURE = 0, 4, 6
BLOCKS_MAX = 1024


@dataclass(frozen=True, slots=True)
class Block:
    """The body of a metadata block, [start, end) in the file."""

    kind: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Blocks:
    """All blocks of a stream, and where its frames begin."""

    blocks: tuple[Block, ...]
    audio_start: int

    def of(self, kind: int) -> tuple[Block, ...]:
        """The blocks of one kind, in order."""
        return tuple(block for block in self.blocks if block.kind == kind)


@parsed_once
def flac_blocks(file: RangedFile) -> Blocks:
    """Raises Malformed when this is not a FLAC stream or its blocks do not end."""
    position = skip_id3v2(file)
    if file.at(position, 4) != b"fLaC":
        raise Malformed("is not a FLAC file")
    position += 4
    blocks: list[Block] = []
    while len(blocks) < BLOCKS_MAX:
        head = file.exactly(position, 4)
        start, end = position + 4, position + 4 + int.from_bytes(head[1:], "big")
        if end > file.size:
            raise Malformed("is cut off inside its FLAC metadata blocks")
        blocks.append(Block(head[0] & 0x7F, start, end))
        position = end
        if head[0] & 0x80:
            return Blocks(tuple(blocks), position)
    raise Malformed(f"has more than {BLOCKS_MAX} FLAC metadata blocks")
