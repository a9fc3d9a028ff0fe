"""The files of the matrix: the shared samples, and flavours that only matter when tags change."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import tempfile
import zlib
from functools import cache
from pathlib import Path

from mutagen.apev2 import APEv2

from musefs.layout.formats import Format, format_of
from tests.lab.samples import SAMPLE_NAMES, shared_samples
from tests.lab.tagging import TrackTags, tag_id3

_COMPLETE = ".complete-3"
_COMMAND_TIMEOUT_S = 60

OWN_NAMES = (
    *("co64_first.m4a", "co64_last.m4a", "fragments_default_base.m4a"),
    *("id3.wav", "monkey.ape", "unsynchronised_cover.mp3"),
)
SERVED_UNTOUCHED = frozenset({"adts.aac", "edited.dff", "rf64.wav"})
"""Samples that no maker is for."""
REPLACED = frozenset({"unsynchronised.mp3"})
"""Its picture is none that a decoder accepts: there is one of the same kind with a real one."""

ORIGINAL_NAMES = tuple(sorted({*SAMPLE_NAMES, *OWN_NAMES} - SERVED_UNTOUCHED - REPLACED))


@cache
def originals() -> dict[str, Path]:
    """Every original by its name. Not to be written to."""
    folder = Path(tempfile.gettempdir()) / f"musefs-originals-{os.getuid()}"
    samples = shared_samples()
    if not (folder / _COMPLETE).exists():
        folder.mkdir(parents=True, exist_ok=True)
        # Others may be at it at the same time: what they make is equal.
        with tempfile.TemporaryDirectory(dir=folder.parent) as name:
            _make(Path(name), samples)
            for path in Path(name).iterdir():
                path.replace(folder / path.name)
        (folder / _COMPLETE).touch()
    own = {name: folder / name for name in OWN_NAMES}
    found = samples | own
    return {name: found[name] for name in ORIGINAL_NAMES}


def original_format(name: str) -> Format:
    """The format of an original by its name."""
    return Format.OGGFLAC if name == "flac.oga" else format_of(name) or Format.OTHER


def _make(folder: Path, samples: dict[str, Path]) -> None:
    for name in ("last", "first"):
        wide = with_wide_offsets(samples[f"{name}.m4a"].read_bytes())
        (folder / f"co64_{name}.m4a").write_bytes(wide)
    options = ("-c", "copy", "-movflags", "+empty_moov+default_base_moof", "-frag_duration")
    target = str(folder / "fragments_default_base.m4a")
    source = str(samples["fragments.m4a"])
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", source, *options, "300000", target]
    subprocess.run(command, check=True, timeout=_COMMAND_TIMEOUT_S)
    cover = (samples["info.wav"].parent / "cover.jpg").read_bytes()
    audio = samples["untagged.mp3"].read_bytes()
    (folder / "unsynchronised_cover.mp3").write_bytes(unsynchronised_tag(cover) + audio)
    shutil.copyfile(samples["info.wav"].parent / "base.wav", folder / "id3.wav")
    tag_id3(folder / "id3.wav", TrackTags("Titre", ("Beyoncé",), "Alb", 3, 12), None)
    (folder / "monkey.ape").write_bytes(silent_ape(3))
    ape = APEv2()
    ape.update({"Title": "Titre", "Artist": ["Beyoncé", "Jay-Z"], "Track": "3/12", "Year": "2011"})
    ape.save(folder / "monkey.ape")


def with_wide_offsets(data: bytes) -> bytes:
    """An MP4 file with "co64" (64-bit chunk offsets) in place of "stco".

    ISO/IEC 14496-12 section 8.7.5. Every atom from moov down to the table grows; where moov stands
    in front of the samples, the offsets grow as well.
    """
    table = data.index(b"stco") - 4
    size, count = struct.unpack_from(">I8xI", data, table)
    offsets = struct.unpack_from(f">{count}I", data, table + 16)
    grown = 4 * count
    moved = [offset + grown if offset > table else offset for offset in offsets]
    wide = struct.pack(">I4sII", 16 + 8 * count, b"co64", 0, count)
    wide += struct.pack(f">{count}Q", *moved)
    result = bytearray(data[:table] + wide + data[table + size :])
    end = table
    for kind in (b"stbl", b"minf", b"mdia", b"trak", b"moov"):
        end = data.rindex(kind, 0, end) - 4
        (length,) = struct.unpack_from(">I", data, end)
        struct.pack_into(">I", result, end, length + grown)
    return bytes(result)


def unsynchronised_tag(cover: bytes) -> bytes:
    """An ID3v2.3 tag with unsynchronisation (its section 5): a zero byte follows every 0xFF."""
    title = b"\1" + "Titre".encode("utf-16")
    picture = b"\0image/jpeg\0\3\0" + cover
    frames = b"".join(
        name + len(body).to_bytes(4, "big") + bytes(2) + body
        for name, body in ((b"TIT2", title), (b"APIC", picture), (b"TRCK", b"\x003/12"))
    )
    body = frames.replace(b"\xff", b"\xff\0")
    size = bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\3\0\x80" + size + body


def silent_ape(seconds: int, rate: int = 44_100) -> bytes:
    """A Monkey's Audio 3.99 file whose frames say that they are silent.

    No free encoder for the format is at hand. Header: Monkey's Audio SDK, APE_DESCRIPTOR and
    APE_HEADER; a frame is a checksum with the top bit set, then flags (3: both channels silent).
    Decoders stop at those, so that the bytes behind them, which tell frames apart, do not matter.
    """
    blocks = 73_728
    total = seconds * rate
    count = -(-total // blocks)
    frames = b""
    seeks = []
    header_bytes = 52 + 24 + 4 * count
    for number in range(count):
        silence = bytes(4 * min(blocks, total - number * blocks))
        checksum = zlib.crc32(silence) >> 1 | 1 << 31
        seeks.append(header_bytes + len(frames))
        body = struct.pack("<II", checksum, 3) + bytes([number + 1]) * 4000
        frames += body
    last = total - (count - 1) * blocks
    descriptor = struct.pack(
        *("<4sHHIIIIIII16s", b"MAC ", 3990, 0, 52, 24, 4 * count, 0, len(frames), 0, 0, bytes(16))
    )
    header = struct.pack("<HHIIIHHI", 2000, 1 << 5, blocks, last, count, 16, 2, rate)
    return descriptor + header + struct.pack(f"<{count}I", *seeks) + frames
