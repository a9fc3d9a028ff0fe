"""LIST/INFO chunks of WAV files, written anew (Multimedia Programming Interface 1.0, "INFO List").

They are for players that do not read ID3v2 in WAV files. An id has one text: several values are
joined. Text is UTF-8, ended by a NUL.
"""

from __future__ import annotations

import struct

from musefs.layout.synthesis.pairs import paired
from musefs.layout.tags import Tags
from musefs.layout.vocabulary import BY_FIELD, field_of_info

_SEPARATOR = "; "


def info_body(old: list[tuple[str, str]], tags: Tags, *, alone: bool) -> bytes:
    """The body of a LIST chunk that says `tags` as far as there are ids for them; empty if none.

    `old` are the ids and texts that it has. With `alone` they are the file's only tags, so that
    `tags` decide about all of them; otherwise ids of no known field stay.
    """
    fields = paired(tags)
    texts: dict[str, str] = {}
    for name, text in old:
        field = field_of_info(name)
        if field in fields:
            texts.setdefault(name, _SEPARATOR.join(fields.pop(field)))
        elif field not in BY_FIELD and not alone:
            texts.setdefault(name, text.rstrip("\0"))
    for field, values in fields.items():
        name = BY_FIELD[field].info if field in BY_FIELD else ""
        if name:
            texts.setdefault(name, _SEPARATOR.join(values))
    chunks = [_chunk(name, text) for name, text in texts.items() if len(name) == 4]
    return b"INFO" + b"".join(chunks) if chunks else b""


def _chunk(name: str, text: str) -> bytes:
    data = text.encode("utf-8", "replace") + b"\0"
    return struct.pack("<4sI", name.encode("latin-1"), len(data)) + data + bytes(len(data) & 1)
