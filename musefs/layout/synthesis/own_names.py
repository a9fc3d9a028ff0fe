"""What a field is called in a file when the vocabulary does not have it."""

from __future__ import annotations


def own_name(field: str) -> str:
    """How a field is called that the vocabulary does not have: what reads back as it is."""
    upper = field.upper()
    return upper if upper.lower() == field else field
