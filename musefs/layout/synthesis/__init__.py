"""Makes re-tagged files: one maker for each kind of container, all behind one function.

A maker looks at the little of the file that it needs and says what the served file is made of. It
is pure and deterministic, and costs about a millisecond however large the file is: `Need` passes
through, the caller fetches that range and calls again.
"""

from __future__ import annotations

from collections.abc import Callable

from musefs.layout.formats import Format
from musefs.layout.ranged import BoundReached, Malformed, RangedFile
from musefs.layout.segments import Layout
from musefs.layout.synthesis.aiff import aiff
from musefs.layout.synthesis.ape import ape
from musefs.layout.synthesis.asf import asf
from musefs.layout.synthesis.dsf import dsf
from musefs.layout.synthesis.flac import flac
from musefs.layout.synthesis.mp4 import mp4
from musefs.layout.synthesis.mpeg import mpeg, tta
from musefs.layout.synthesis.ogg import ogg
from musefs.layout.synthesis.wave import wave
from musefs.layout.wish import Unservable, Wish

_REASON_CHARACTERS_MAX = 160

_MAKERS: dict[Format, Callable[[RangedFile, Wish], Layout]] = {
    Format.FLAC: flac,
    Format.MP3: mpeg,
    Format.TTA: tta,
    Format.WAV: wave,
    Format.AIFF: aiff,
    Format.DSF: dsf,
    Format.MP4: mp4,
    Format.WAVPACK: ape,
    Format.APE: ape,
    Format.MUSEPACK: ape,
    Format.ASF: asf,
    Format.VORBIS: ogg,
    Format.OPUS: ogg,
    Format.OGGFLAC: ogg,
}

RETAGGED: frozenset[Format] = frozenset(_MAKERS)
"""The formats that can be served with other tags than their own."""

_HASHED = frozenset({Format.VORBIS, Format.OPUS, Format.OGGFLAC})


def needs_cover_bytes(kind: Format) -> bool:
    """Whether a wish needs `cover.data`: Ogg pages carry a checksum over the picture."""
    return kind in _HASHED


def synthesise(kind: Format, file: RangedFile, wish: Wish) -> Layout:
    """What a file of this format is made of when it is served as wished.

    Raises Need when bytes are missing (fetch them and call again), and Unservable.
    """
    maker = _MAKERS.get(kind)
    if maker is None:
        raise Unservable("is of a format whose tags musefs does not change")
    try:
        return maker(file, wish)
    except Unservable:
        raise
    except (Malformed, BoundReached) as error:
        raise Unservable(str(error)) from error
    except Exception as error:  # parsers raise anything on bytes that nobody foresaw
        raise Unservable(_reason(error)) from error


def _reason(error: Exception) -> str:
    line = " ".join(str(error).split())[:_REASON_CHARACTERS_MAX]
    text = "".join(letter if letter.isprintable() else "?" for letter in line)
    return f"has tags that cannot be rewritten: {type(error).__name__} {text}".rstrip()
