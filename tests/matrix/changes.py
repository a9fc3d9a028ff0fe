"""What the matrix does to each file."""

from __future__ import annotations

from collections.abc import Mapping

from musefs.layout.tags import NO_TAGS, Tags
from tests.lab.served import Change, given_picture

COVER_BYTES = 1_000_000
LYRICS_BYTES = 200_000

NEW_TEXT: Mapping[str, tuple[str, ...]] = {
    "title": ("Ætt \"quoted\" 'single' — 東京 🎧",),
    "artist": ("Сергей Прокофьев", "Молодёжный хор & Co"),
    "albumartist": ("فرقة الموسيقى",),
    "album": ("Ἰλιάς / part; one, two",),
    "date": ("2019-03-07",),
    "originaldate": ("1957",),
    "genre": ("Neo-Classical", "Ηλεκτρονική"),
    "tracknumber": ("7",),
    "tracktotal": ("24",),
    "discnumber": ("2",),
    "disctotal": ("3",),
    "composer": ("עברית", "Dvořák, Antonín"),
    "conductor": ("Tōru Yamada",),
    "lyricist": ("O’Brien",),
    "remixer": ("DJ Ñandú",),
    "label": ("Ÿ Records",),
    "catalognumber": ("AB-001 ‹x›",),
    "barcode": ("0123456789012",),
    "isrc": ("USRC17607839",),
    "media": ("CD",),
    "bpm": ("128",),
    "key": ("F#m",),
    "mood": ("ruhig",),
    "comment": ("Erste Zeile\nzweite Zeile = 100 %",),
    "lyrics": ("[00:01.00] la\nla 🎶\n\nla",),
    "copyright": ("2019 © Ÿ Records",),
    "grouping": ("Gruppe",),
    "subtitle": ("Untertitel",),
    "language": ("deu",),
    "compilation": ("1",),
    "albumsort": ("Ilias",),
    "artistsort": ("Prokofiev, Sergei",),
    "albumartistsort": ("Firqat",),
    "titlesort": ("Aett",),
    "composersort": ("Ivrit",),
    "musicbrainz_trackid": ("9d2d8b5c-4f43-4b2b-9a0a-5a3c2f0c2a11",),
    "musicbrainz_albumid": ("0f4a8b5c-0000-4b2b-9a0a-5a3c2f0c2a22",),
    "musicbrainz_artistid": (
        "11111111-4f43-4b2b-9a0a-5a3c2f0c2a33",
        "22222222-4f43-4b2b-9a0a-5a3c2f0c2a44",
    ),
    "replaygain_track_gain": ("-7.41 dB",),
    "replaygain_track_peak": ("0.988",),
    "my own field": ("ein Wert", "noch einer"),
}
"""Fields of every kind: several values, scripts, quotes, line breaks, numbers, a free name."""

JPEG = given_picture(1, "image/jpeg", COVER_BYTES)
PNG = given_picture(2, "image/png", COVER_BYTES)


def _lyrics(own: Tags) -> Tags:
    line = "Größe, 東京 und “Anführung” 🎶\n"
    text = (line * (LYRICS_BYTES // len(line.encode()) + 1)).strip()
    return {**own, "lyrics": (text,)}


CHANGES: Mapping[str, Change] = {
    "unchanged": Change(),
    "text": Change(lambda _: NEW_TEXT),
    "text_jpeg": Change(lambda _: NEW_TEXT, JPEG),
    "text_png": Change(lambda _: NEW_TEXT, PNG),
    "bare": Change(bare=True),
    "lyrics": Change(_lyrics),
    "empty": Change(lambda _: NO_TAGS),
}
"""Changes by their names."""
