"""Fields as Vorbis comments (Vorbis I specification, section 5), for FLAC and Ogg.

Names are written in upper case, as most taggers do; they are ASCII 0x20 to 0x7D without "=".
"""

from __future__ import annotations

import re
from typing import Any

from musefs.layout.synthesis.changes import changed_fields
from musefs.layout.tags import Tags, from_vorbis
from musefs.layout.vocabulary import BY_FIELD, field_of_vorbis

PICTURE_COMMENTS = frozenset({"metadata_block_picture", "coverart", "coverartmime"})
"""Comments that hold pictures, in lower case: they are no text."""

_NAME = re.compile(r"[\x20-\x3c\x3e-\x7d]+\Z")


def set_comments(comments: Any, tags: Tags) -> None:
    """Have a mutagen VComment say `tags`: comments of fields that it says already stay.

    The order of what stays is kept, new comments come last. Pictures are not touched. A field
    whose name no comment can have is left out.
    """
    changed = changed_fields(from_vorbis(comments), tags)
    kept = [pair for pair in comments if _is_picture(pair[0]) or not _is_of(pair[0], changed)]
    added = [
        (name, value)
        for field, values in tags.items()
        if field in changed and (name := comment_name(field)) is not None
        for value in values
    ]
    comments[:] = [*kept, *added]


def comment_name(field: str) -> str | None:
    """The name of the comments of a field; None where there cannot be any."""
    name = BY_FIELD[field].vorbis if field in BY_FIELD else field.upper()
    return name if _NAME.match(name) and not _is_picture(name) else None


def _is_picture(name: str) -> bool:
    return name.lower() in PICTURE_COMMENTS


def _is_of(name: str, fields: frozenset[str]) -> bool:
    return field_of_vorbis(name) in fields
