"""MP4 files of every flavour, from ffmpeg and put together by hand."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

from mutagen.mp4 import MP4, MP4Cover

from tests.lab.samples import shared_samples
from tests.layout.synthesis.retagging import ffmpeg

OLD_PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(255)) * 4112
NAMES = (
    *("first", "last", "alac", "co64", "wide", "open", "bare", "named", "covers", "chapters"),
    *("absolute", "relative", "moof-based"),
)


def atom(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def atoms(data: bytes) -> list[tuple[bytes, bytes]]:
    found, place = [], 0
    while place < len(data):
        (length,) = struct.unpack_from(">I", data, place)
        found.append((data[place + 4 : place + 8], data[place + 8 : place + length]))
        place += length
    return found


def changed(data: bytes, path: list[bytes], change: Callable[[bytes], bytes]) -> bytes:
    """The atoms of some bytes, each at a path of kinds put through a function."""
    parts = []
    for kind, body in atoms(data):
        if kind == path[0]:
            whole = atom(kind, body)
            part = change(whole) if len(path) == 1 else atom(kind, changed(body, path[1:], change))
            parts.append(part)
        else:
            parts.append(atom(kind, body))
    return b"".join(parts)


CHUNKS = [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stco"]


def moved(data: bytes, distance: int) -> bytes:
    def change(table: bytes) -> bytes:
        offsets = struct.unpack(f">{(len(table) - 16) // 4}I", table[16:])
        return table[:16] + struct.pack(f">{len(offsets)}I", *(o + distance for o in offsets))

    return changed(data, CHUNKS, change)


def with_co64(data: bytes) -> bytes:
    growth = len(changed(data, CHUNKS, lambda table: table + table[16:])) - len(data)

    def change(table: bytes) -> bytes:
        offsets = struct.unpack(f">{(len(table) - 16) // 4}I", table[16:])
        wide = struct.pack(f">{len(offsets)}Q", *(o + growth for o in offsets))
        return atom(b"co64", table[8:16] + wide)

    return changed(data, CHUNKS, change)


def with_wide_sizes(data: bytes) -> bytes:
    """64-bit sizes of moov and mdat."""
    parts = []
    for kind, body in atoms(moved(data, 16)):
        wide = kind in (b"moov", b"mdat")
        head = struct.pack(">I4sQ", 1, kind, 16 + len(body)) if wide else atom(kind, body)[:8]
        parts.append(head + body)
    return b"".join(parts)


def with_open_size(data: bytes) -> bytes:
    """A last atom whose size is "to the end of the file"."""
    kind, body = atoms(data)[-1]
    start = len(data) - len(body) - 8
    return data[:start] + bytes(4) + kind + body


def with_user_data(data: bytes, user_data: bytes) -> bytes:
    """Other user data in place of the iTunes metadata."""
    place = [b"moov", b"udta"]
    growth = len(changed(data, place, lambda _: user_data)) - len(data)
    return changed(moved(data, growth), place, lambda _: user_data)


def with_covers(folder: Path, source: Path) -> bytes:
    path = folder / "covers.m4a"
    path.write_bytes(source.read_bytes())
    tagged = MP4(path)
    tagged["covr"] = [MP4Cover(OLD_PICTURE, MP4Cover.FORMAT_PNG), MP4Cover(OLD_PICTURE[:5000])]
    tagged["----:com.apple.iTunes:iTunNORM"] = [b" 00000001 00000002"]
    tagged["----:com.apple.iTunes:Label"] = [b"Old"]
    tagged["rtng"], tagged["pgap"], tagged["shwm"] = [2], True, [1]
    tagged.save()
    return path.read_bytes()


def from_ffmpeg(folder: Path, *options: str | Path) -> bytes:
    path = folder / "made.m4a"
    base = shared_samples()["first.m4a"].parent / "base.wav"
    ffmpeg("-i", base, *options, "-fflags", "+bitexact", "-c:a", "aac", path)
    return path.read_bytes()


def with_chapters(folder: Path) -> bytes:
    text = ";FFMETADATA1\ntitle=Titre\n"
    for number in range(3):
        text += f"[CHAPTER]\nTIMEBASE=1/1\nSTART={number}\nEND={number + 1}\ntitle=K {number}\n"
    (folder / "chapters.txt").write_text(text)
    return from_ffmpeg(folder, "-i", folder / "chapters.txt", "-map_metadata", "1")


def make_files(folder: Path) -> dict[str, bytes]:
    """One file per flavour, with a scratch folder."""
    samples = shared_samples()
    first = samples["first.m4a"].read_bytes()
    fragments = ("-frag_duration", "100000", "-movflags")
    made = {
        "first": first,
        "last": samples["last.m4a"].read_bytes(),
        "alac": samples["alac.m4a"].read_bytes(),
        "co64": with_co64(first),
        "wide": with_wide_sizes(first),
        "open": with_open_size(first),
        "bare": with_user_data(first, b""),
        "named": with_user_data(first, atom(b"udta", atom(b"name", b"Titre"))),
        "covers": with_covers(folder, samples["first.m4a"]),
        "chapters": with_chapters(folder),
        "absolute": samples["fragments.m4a"].read_bytes(),
        "relative": from_ffmpeg(folder, *fragments, "+empty_moov+omit_tfhd_offset"),
        "moof-based": from_ffmpeg(folder, *fragments, "+empty_moov+default_base_moof"),
    }
    assert set(made) == set(NAMES)
    assert b"co64" in made["co64"]
    assert b"udta" not in made["bare"]
    assert all(b"mfra" in made[name] for name in ("absolute", "relative", "moof-based"))
    assert b"chpl" in made["chapters"]
    return made
