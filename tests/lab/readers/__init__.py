"""The programs that the tags of served files are read with, all answering in one shape.

Five readers, of four families of code: mutagen, ffprobe, TagLib (bound to Python), kid3 (the
system's TagLib behind names of its own) and exiftool. What each cannot show is in `sights`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from tests.lab.readers.by_exiftool import read_by_exiftool
from tests.lab.readers.by_ffprobe import read_by_ffprobe
from tests.lab.readers.by_kid3 import read_by_kid3
from tests.lab.readers.by_mutagen import read_by_mutagen
from tests.lab.readers.by_taglib import read_by_taglib
from tests.lab.readers.shown import Shown

READERS: Mapping[str, Callable[[Sequence[Path]], dict[Path, Shown]]] = MappingProxyType(
    {
        "mutagen": read_by_mutagen,
        "ffprobe": read_by_ffprobe,
        "taglib": read_by_taglib,
        "kid3": read_by_kid3,
        "exiftool": read_by_exiftool,
    }
)
"""Each reads many files at once; a file that it cannot read is missing in its answer."""
