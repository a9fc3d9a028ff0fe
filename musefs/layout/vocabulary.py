"""One vocabulary: a field's name in musefs and in every kind of tag, for reading and for writing.

The names follow the mapping that MusicBrainz Picard documents
(https://picard-docs.musicbrainz.org/en/appendices/tag_mapping.html), which most players understand.
An ID3 name is a frame, or `TXXX:description`, `UFID:owner`, `TIPL:role`. Totals have no name of
their own where a format writes "3/12". RIFF INFO ids: Multimedia Programming Interface 1.0 and
common use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Names:
    """What one field is called; empty where a kind of tag has no place for it."""

    field: str
    vorbis: str
    id3: str
    mp4: str
    ape: str
    asf: str
    info: str


_ITUNES = "----:com.apple.iTunes:"

# field|Vorbis|ID3|MP4|APEv2|ASF|RIFF INFO; "=" is the name in Vorbis, in MP4 as a freeform atom
_TABLE = """
title|TITLE|TIT2|©nam|Title|Title|INAM
artist|ARTIST|TPE1|©ART|Artist|Author|IART
albumartist|ALBUMARTIST|TPE2|aART|Album Artist|WM/AlbumArtist|
album|ALBUM|TALB|©alb|Album|WM/AlbumTitle|IPRD
date|DATE|TDRC|©day|Year|WM/Year|ICRD
originaldate|ORIGINALDATE|TDOR|=|=|WM/OriginalReleaseTime|
originalyear|ORIGINALYEAR|TXXX:originalyear|=|=|WM/OriginalReleaseYear|
releasedate|RELEASEDATE|TDRL|=|=|WM/ReleaseDate|
genre|GENRE|TCON|©gen|Genre|WM/Genre|IGNR
tracknumber|TRACKNUMBER|TRCK|trkn|Track|WM/TrackNumber|ITRK
tracktotal|TRACKTOTAL|||||
discnumber|DISCNUMBER|TPOS|disk|Disc|WM/PartOfSet|
disctotal|DISCTOTAL|||||
composer|COMPOSER|TCOM|©wrt|Composer|WM/Composer|IMUS
performer|PERFORMER|TMCL|=|Performer||
conductor|CONDUCTOR|TPE3|=|Conductor|WM/Conductor|
lyricist|LYRICIST|TEXT|=|Lyricist|WM/Writer|IWRI
remixer|REMIXER|TPE4|=|MixArtist|WM/ModifiedBy|
arranger|ARRANGER|TIPL:arranger|=|Arranger|WM/Arranger|
producer|PRODUCER|TIPL:producer|=|Producer|WM/Producer|IPRO
engineer|ENGINEER|TIPL:engineer|=|Engineer|WM/Engineer|IENG
mixer|MIXER|TIPL:mix|=|Mixer|WM/Mixer|
djmixer|DJMIXER|TIPL:DJ-mix|=|DJMixer|WM/DJMixer|
director|DIRECTOR|TXXX:DIRECTOR|©dir|Director|WM/Director|
label|LABEL|TPUB|=|Label|WM/Publisher|IPUB
catalognumber|CATALOGNUMBER|TXXX:CATALOGNUMBER|=|CatalogNumber|WM/CatalogNo|
barcode|BARCODE|TXXX:BARCODE|=|Barcode|WM/Barcode|
isrc|ISRC|TSRC|=|ISRC|WM/ISRC|ISRC
asin|ASIN|TXXX:ASIN|=|ASIN|ASIN|
media|MEDIA|TMED|=|Media|WM/Media|IMED
bpm|BPM|TBPM|tmpo|BPM|WM/BeatsPerMinute|IBPM
key|KEY|TKEY|=initialkey|KEY|WM/InitialKey|
mood|MOOD|TMOO|=|Mood|WM/Mood|
comment|COMMENT|COMM|©cmt|Comment|Description|ICMT
description|DESCRIPTION|TXXX:DESCRIPTION|desc|Description||
lyrics|LYRICS|USLT|©lyr|Lyrics|WM/Lyrics|
copyright|COPYRIGHT|TCOP|cprt|Copyright|Copyright|ICOP
encodedby|ENCODEDBY|TENC|©too|EncodedBy|WM/EncodedBy|ITCH
encodersettings|ENCODERSETTINGS|TSSE|=|EncoderSettings|WM/EncodingSettings|ISFT
grouping|GROUPING|GRP1|©grp|Grouping|WM/ContentGroupDescription|
subtitle|SUBTITLE|TIT3|=|Subtitle|WM/SubTitle|
discsubtitle|DISCSUBTITLE|TSST|=|DiscSubtitle|WM/SetSubTitle|
language|LANGUAGE|TLAN|=|Language|WM/Language|ILNG
script|SCRIPT|TXXX:SCRIPT|=|Script|WM/Script|
compilation|COMPILATION|TCMP|cpil|Compilation|WM/IsCompilation|
work|WORK|TXXX:WORK|©wrk|WORK|WM/Work|
movement|MOVEMENTNAME|MVNM|©mvn|MOVEMENTNAME||
movementnumber|MOVEMENT|MVIN|©mvi|MOVEMENT||
movementtotal|MOVEMENTTOTAL||©mvc|MOVEMENTTOTAL||
showmovement|SHOWMOVEMENT|TXXX:SHOWMOVEMENT|shwm|SHOWMOVEMENT||
albumsort|ALBUMSORT|TSOA|soal|ALBUMSORT|WM/AlbumSortOrder|
artistsort|ARTISTSORT|TSOP|soar|ARTISTSORT|WM/ArtistSortOrder|
albumartistsort|ALBUMARTISTSORT|TSO2|soaa|ALBUMARTISTSORT|WM/AlbumArtistSortOrder|
titlesort|TITLESORT|TSOT|sonm|TITLESORT|WM/TitleSortOrder|
composersort|COMPOSERSORT|TSOC|soco|COMPOSERSORT|WM/ComposerSortOrder|
artists|ARTISTS|TXXX:Artists|=|Artists|WM/ARTISTS|
albumartists|ALBUMARTISTS|TXXX:ALBUMARTISTS|=|ALBUMARTISTS|ALBUMARTISTS|
originalartist|ORIGINALARTIST|TOPE|=|Original Artist|WM/OriginalArtist|
originalalbum|ORIGINALALBUM|TOAL|=||WM/OriginalAlbumTitle|
website|WEBSITE|WOAR|=|Weblink|WM/AuthorURL|
license|LICENSE|WCOP|=|LICENSE|LICENSE|
""".strip()

_MUSICBRAINZ = {
    "releasetype": "Album Type",
    "releasestatus": "Album Status",
    "releasecountry": "Album Release Country",
    "musicbrainz_trackid": "Track Id",
    "musicbrainz_albumid": "Album Id",
    "musicbrainz_albumartistid": "Album Artist Id",
    "musicbrainz_artistid": "Artist Id",
    "musicbrainz_discid": "Disc Id",
    "musicbrainz_originalalbumid": "Original Album Id",
    "musicbrainz_originalartistid": "Original Artist Id",
    "musicbrainz_releasegroupid": "Release Group Id",
    "musicbrainz_releasetrackid": "Release Track Id",
    "musicbrainz_trmid": "TRM Id",
    "musicbrainz_workid": "Work Id",
}

_ACOUSTID = {"acoustid_id": "Id", "acoustid_fingerprint": "Fingerprint"}

_APE_OF = {"releasetype": "MUSICBRAINZ_ALBUMTYPE", "releasestatus": "MUSICBRAINZ_ALBUMSTATUS"}

_REPLAYGAIN = (
    "replaygain_album_gain",
    "replaygain_album_peak",
    "replaygain_album_range",
    "replaygain_track_gain",
    "replaygain_track_peak",
    "replaygain_track_range",
    "replaygain_reference_loudness",
    "r128_album_gain",
    "r128_track_gain",
)


def _row(line: str) -> Names:
    field, vorbis, id3, mp4, ape, asf, info = line.split("|")
    if mp4.startswith("="):
        mp4 = _ITUNES + (mp4[1:] or vorbis)
    return Names(field, vorbis, id3, mp4, vorbis if ape == "=" else ape, asf, info)


def _titled(field: str, project: str, words: str) -> Names:
    """Fields that ID3, MP4 and ASF name in words."""
    name, upper = f"{project} {words}", field.upper()
    id3 = "UFID:http://musicbrainz.org" if field == "musicbrainz_trackid" else f"TXXX:{name}"
    ape = _APE_OF.get(field, upper)
    return Names(field, upper, id3, _ITUNES + name, ape, f"{project}/{words}", "")


def _same(field: str) -> Names:
    upper = field.upper()
    return Names(field, upper, f"TXXX:{upper}", _ITUNES + upper, upper, upper, "")


VOCABULARY: tuple[Names, ...] = (
    *(_row(line) for line in _TABLE.splitlines()),
    *(_titled(field, "MusicBrainz", words) for field, words in _MUSICBRAINZ.items()),
    *(_titled(field, "Acoustid", words) for field, words in _ACOUSTID.items()),
    *(_same(field) for field in _REPLAYGAIN),
)

BY_FIELD: Mapping[str, Names] = MappingProxyType({names.field: names for names in VOCABULARY})

_ALIASES = MappingProxyType(
    {
        "album artist": "albumartist",
        "album_artist": "albumartist",
        "ensemble": "albumartist",
        "author": "artist",
        "year": "date",
        "recordingdate": "date",
        "original date": "originaldate",
        "origdate": "originaldate",
        "origyear": "originalyear",
        "track": "tracknumber",
        "tracknum": "tracknumber",
        "totaltracks": "tracktotal",
        "track total": "tracktotal",
        "tracktotal": "tracktotal",
        "trackc": "tracktotal",
        "disc": "discnumber",
        "disk": "discnumber",
        "disknumber": "discnumber",
        "totaldiscs": "disctotal",
        "disctotal": "disctotal",
        "discc": "disctotal",
        "organization": "label",
        "publisher": "label",
        "upc": "barcode",
        "ean": "barcode",
        "catalog": "catalognumber",
        "labelno": "catalognumber",
        "tempo": "bpm",
        "initialkey": "key",
        "initial key": "key",
        "mixartist": "remixer",
        "writer": "lyricist",
        "encoded-by": "encodedby",
        "unsyncedlyrics": "lyrics",
        "unsynced lyrics": "lyrics",
        "contentgroup": "grouping",
        "itunescompilation": "compilation",
        "musicbrainz album type": "releasetype",
        "musicbrainz_albumtype": "releasetype",
        "musicbrainz album status": "releasestatus",
        "musicbrainz_albumstatus": "releasestatus",
    }
)


def _lower(pairs: list[tuple[str, str]]) -> Mapping[str, str]:
    return MappingProxyType({name.lower(): field for name, field in pairs if name})


_VORBIS = _lower([(names.vorbis, names.field) for names in VOCABULARY])
_APE = _lower([(names.ape, names.field) for names in VOCABULARY])
_ASF = _lower([(names.asf, names.field) for names in VOCABULARY])
_MP4 = MappingProxyType({names.mp4.lower(): names.field for names in VOCABULARY if names.mp4})
_ID3 = _lower([(names.id3, names.field) for names in VOCABULARY])
_INFO = _lower([(names.info, names.field) for names in VOCABULARY])


def _free(name: str) -> str:
    """A name that any tagger may have chosen, in whatever kind of tag."""
    lower = name.strip().lower()
    return _ALIASES.get(lower) or _VORBIS.get(lower) or lower


def field_of_vorbis(name: str) -> str:
    """The field of a Vorbis comment's name."""
    return _free(name)


def field_of_ape(key: str) -> str:
    """The field of an APEv2 item's key."""
    return _APE.get(key.lower()) or _free(key)


def field_of_asf(name: str) -> str:
    """The field of an ASF attribute's name."""
    return _ASF.get(name.lower()) or _free(name.rpartition("/")[2])


def field_of_mp4(key: str) -> str:
    """The field of an MP4 atom, freeform ones as `----:mean:name`."""
    if not key.startswith("----:"):
        return _MP4.get(key.lower()) or _free(key)
    return _MP4.get(key.lower()) or _free(_utf8(key.split(":", 2)[2]))


def _utf8(name: str) -> str:
    """The name of a freeform atom, which is UTF-8, and is told byte by byte as Latin-1."""
    try:
        return name.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return name


def field_of_id3(name: str) -> str:
    """The field of an ID3v2.4 frame, or of `TXXX:description`, `UFID:owner`, `TIPL:role`."""
    return _ID3.get(name.lower()) or _free(name.split(":", 1)[-1])


def field_of_info(name: str) -> str:
    """The field of a RIFF INFO id."""
    return _INFO.get(name.lower()) or {"iprt": "tracknumber"}.get(name.lower(), name.lower())
