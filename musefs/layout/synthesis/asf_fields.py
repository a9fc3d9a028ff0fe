"""Fields as ASF attributes, in terms of mutagen's ASFTags.

Names and types follow the attribute list of the Windows Media Format SDK, and for what it has no
name https://picard-docs.musicbrainz.org/en/appendices/tag_mapping.html.
"""

from __future__ import annotations

from typing import Any

from mutagen.asf import ASFBoolAttribute, ASFByteArrayAttribute, ASFGUIDAttribute
from mutagen.asf import ASFUnicodeAttribute as Text

from musefs.layout.synthesis.changes import changed_fields
from musefs.layout.synthesis.own_names import own_name
from musefs.layout.synthesis.pairs import paired
from musefs.layout.tags import Tags, from_asf
from musefs.layout.vocabulary import BY_FIELD, field_of_asf

_SHORT_BYTES_MAX = 0xFFFF
_LIBRARY_LANGUAGE = 0


def set_attributes(attributes: Any, tags: Tags) -> None:
    """Have a mutagen ASFTags say `tags`: attributes of fields that it says already stay.

    Byte arrays (pictures) and GUIDs are not touched.
    """
    changed = changed_fields(from_asf(attributes), tags)
    known: dict[str, str] = {}
    kept: list[tuple[str, Any]] = []
    for name, value in attributes:
        field = field_of_asf(name)
        binary = isinstance(value, (ASFByteArrayAttribute, ASFGUIDAttribute))
        if binary or field not in changed:
            kept.append((name, value))
        else:
            known.setdefault(field, name)
    for field, values in paired({f: tags[f] for f in tags if f in changed}).items():
        name = _name(field, known)
        kept += [(name, value) for value in _encoded(field, values)]
    # Setting names one by one would take time by the square of their number.
    attributes[:] = kept


def _name(field: str, known: dict[str, str]) -> str:
    """What reads back as this field; a name that the file has for an own field is kept."""
    if field not in BY_FIELD:
        return known.get(field) or own_name(field)
    names = BY_FIELD[field]
    if names.asf:
        return names.asf
    return names.vorbis if field_of_asf(names.vorbis) == field else f"WM/{names.vorbis}"


def _encoded(field: str, values: tuple[str, ...]) -> list[Any]:
    if field == "compilation" and values == ("1",):
        return [ASFBoolAttribute(True)]
    texts = [Text(value) for value in values]
    if any(text.data_size() > _SHORT_BYTES_MAX for text in texts):
        # Only the metadata library holds long values: all go there, so that their order stays.
        return [Text(value, language=_LIBRARY_LANGUAGE) for value in values]
    return texts
