"""Which fields of a tag have to be written anew."""

from __future__ import annotations

from musefs.layout.tags import Tags

_TOGETHER = (
    ("tracknumber", "tracktotal"),
    ("discnumber", "disctotal"),
    ("movementnumber", "movementtotal"),
)


def changed_fields(current: Tags, wanted: Tags) -> frozenset[str]:
    """The fields whose values differ. A number and its total come together, as "3/12" is both."""
    changed = {
        field for field in current.keys() | wanted.keys() if current.get(field) != wanted.get(field)
    }
    for pair in _TOGETHER:
        if changed & set(pair):
            changed.update(pair)
    return frozenset(changed)
