"""What each reader cannot show, as data: reader, kind of file, field.

What is written down here is how the reader is, not how the files are: every entry was seen with
files that other readers show in full. Where a reader shows something after all, the matrix fails.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from tests.lab.readers.shown import Family

Tags = Mapping[str, tuple[str, ...]]


class Several(Enum):
    """What becomes of several values of one field."""

    IN_ORDER = auto()
    IN_ANY_ORDER = auto()
    FIRST = auto()
    JOINED = auto()


@dataclass(frozen=True, slots=True)
class Sight:
    """`hidden` fields are never shown; `several_of` are fields that are unlike the others."""

    several: Several = Several.IN_ORDER
    joiner: str = ""
    hidden: frozenset[str] = frozenset()
    several_of: Mapping[str, Several] = field(default_factory=dict)
    hidden_pictures: bool = False
    beyond_plane_0: str | None = None
    """What is shown in place of a character beyond U+FFFF."""

    def of(self, tags: Tags) -> dict[str, tuple[str, ...]]:
        """What is to be expected of these tags."""
        return {
            name: self._values(name, values)
            for name, values in tags.items()
            if name not in self.hidden
        }

    def same(self, name: str, expected: tuple[str, ...], shown: tuple[str, ...]) -> bool:
        """Whether these values of one field are as expected."""
        if self.several_of.get(name, self.several) is Several.IN_ANY_ORDER:
            return sorted(expected) == sorted(shown)
        return expected == shown

    def _values(self, name: str, values: tuple[str, ...]) -> tuple[str, ...]:
        if self.beyond_plane_0 is not None:
            values = tuple(_ASTRAL.sub(self.beyond_plane_0, value) for value in values)
        match self.several_of.get(name, self.several):
            case Several.FIRST:
                return values[:1]
            case Several.JOINED:
                return (self.joiner.join(values),)
        return values


_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
NO_SIGHT = None
_FULL = Sight()
_OWN_FIELDS = dict.fromkeys(("musicbrainz_artistid", "my own field"), Several.FIRST)
_NOT_IN_INFO = frozenset(
    {"albumartist", "originaldate", "discnumber", "disctotal", "conductor", "remixer", "key"}
    | {"catalognumber", "barcode", "mood", "lyrics", "grouping", "subtitle", "compilation"}
    | {"albumsort", "artistsort", "albumartistsort", "titlesort", "composersort", "my own field"}
    | {"musicbrainz_trackid", "musicbrainz_albumid", "musicbrainz_artistid"}
    | {"replaygain_track_gain", "replaygain_track_peak"}
)

INFO = "info"
"""WAV files that have RIFF INFO chunks besides ID3v2: ffprobe shows those alone."""

LONG_OGG_FLAC = "long ogg flac"
"""Ogg FLAC files whose comments are longer than a page, of which exiftool shows nothing."""

LONG_ASF = "long asf"
"""ASF files with a text of more than 64 KiB, which only the metadata library object can hold."""

SIGHTS: Mapping[tuple[str, str], Sight | None] = {
    # libavformat: one value of each frame, atom and item; comments are joined.
    ("ffprobe", Family.VORBIS): Sight(Several.JOINED, ";"),
    ("ffprobe", Family.ID3): Sight(
        Several.FIRST, hidden=frozenset({"grouping", "musicbrainz_trackid"})
    ),
    ("ffprobe", INFO): Sight(Several.JOINED, "; ", _NOT_IN_INFO),
    ("ffprobe", Family.MP4): Sight(Several.FIRST, hidden=frozenset({"bpm"})),
    ("ffprobe", Family.APE): Sight(Several.FIRST),
    ("ffprobe", Family.ASF): Sight(Several.FIRST, hidden_pictures=True),
    ("ffprobe", LONG_ASF): Sight(Several.FIRST, hidden=frozenset({"lyrics"}), hidden_pictures=True),
    # TagLib's property map has no names for some attributes, and knows a single author.
    ("taglib", Family.ASF): Sight(
        Several.IN_ANY_ORDER,
        hidden=frozenset(
            {"originaldate", "compilation", "composersort", "my own field"}
            | {"replaygain_track_gain", "replaygain_track_peak"}
        ),
        several_of={"artist": Several.FIRST},
    ),
    # kid3 shows the first value of TXXX frames and of APEv2 items.
    ("kid3", Family.ID3): Sight(several_of=_OWN_FIELDS),
    ("kid3", Family.APE): Sight(Several.FIRST),
    ("kid3", Family.ASF): Sight(Several.IN_ANY_ORDER),
    # exiftool knows neither UFID frames nor WavPack's and Musepack's tags nor DSF, and takes
    # free-form MP4 atoms that are not ASCII for binary ones.
    ("exiftool", Family.VORBIS): Sight(Several.IN_ANY_ORDER),
    ("exiftool", Family.ID3): Sight(
        Several.JOINED, "/", frozenset({"musicbrainz_trackid"}), _OWN_FIELDS
    ),
    ("exiftool", Family.MP4): Sight(
        Several.IN_ANY_ORDER,
        hidden=frozenset({"conductor", "lyricist", "remixer", "label", "catalognumber"}),
    ),
    ("exiftool", Family.APE): Sight(Several.JOINED),
    ("exiftool", Family.ASF): Sight(
        Several.IN_ANY_ORDER,
        hidden=frozenset(
            {"catalognumber", "barcode", "media", "compilation", "albumsort", "artistsort"}
            | {"albumartistsort", "titlesort", "composersort", "my own field"}
            | {"musicbrainz_trackid", "musicbrainz_albumid", "musicbrainz_artistid"}
            | {"replaygain_track_gain", "replaygain_track_peak"}
        ),
        beyond_plane_0="??????",
    ),
    ("exiftool", LONG_OGG_FLAC): NO_SIGHT,
    **{("exiftool", suffix): NO_SIGHT for suffix in (".wv", ".mpc", ".dsf")},
}


def sight_of(reader: str, *flavours: str) -> Sight | None:
    """How a reader sees a file, by the first of its flavours that is told of; None: not at all."""
    keys = [(reader, flavour) for flavour in flavours if (reader, flavour) in SIGHTS]
    return SIGHTS[keys[0]] if keys else _FULL
