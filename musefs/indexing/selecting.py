"""Which files of an origin belong to the library. Pure."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

from musefs.catalog.records import Kind
from musefs.layout.formats import format_of

_APPLE_DOUBLE = "._"
"""macOS keeps a file's attributes on foreign disks in a twin of this prefix and equal extension."""


class Selection:
    """Audio files by their extension, sidecars by patterns; case does not matter."""

    def __init__(self, sidecar_patterns: Sequence[str]) -> None:
        self._patterns = [pattern.casefold() for pattern in sidecar_patterns]

    def kind_of(self, path: str) -> Kind | None:
        """What a file is to the library; None when it is nothing."""
        name = path.rpartition("/")[2]
        if name.startswith(_APPLE_DOUBLE):
            return None
        if format_of(name) is not None:
            return "audio"
        folded = name.casefold()
        if any(fnmatch.fnmatchcase(folded, pattern) for pattern in self._patterns):
            return "sidecar"
        return None
