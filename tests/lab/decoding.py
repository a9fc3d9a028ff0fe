"""What files sound like, and what the programs that check files say against them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.lab.readers.by_ffprobe import PROCESSES

_TIMEOUT_S = 60
_AUDIO = ("-map", "0:a", "-c:a", "pcm_s32le")
_PICTURES = ("-map", "0:v?", "-c:v", "copy")
_HASH = re.compile(r"\d+,(?P<kind>[av]),MD5=(?P<md5>[0-9a-f]{32})")
_CHECKS: dict[str, tuple[tuple[str, ...], ...]] = {
    ".flac": (("flac", "-t", "-s"),),
    ".oga": (("flac", "--ogg", "-t", "-s"), ("ogginfo", "-q")),
    ".ogg": (("ogginfo", "-q"),),
    ".opus": (("opusinfo",),),
    ".mp3": (("mp3val",),),
}
_BAD = re.compile(r"warn|error|invalid|corrupt|negative|hole|not |mismatch|fail", re.IGNORECASE)
_TEXT_OF_TAGS = re.compile(r"^\t")


@dataclass(frozen=True, slots=True)
class Decoded:
    """MD5 of the audio's samples and of each attached picture; what the decoder complained of."""

    pcm_md5: str | None
    picture_md5s: tuple[str, ...]
    complaints: tuple[str, ...]


def decode_all(paths: Iterable[Path]) -> dict[Path, Decoded]:
    """Decode files, some at a time."""
    paths = list(paths)
    with ThreadPoolExecutor(PROCESSES) as pool:
        return dict(zip(paths, pool.map(decoded, paths), strict=True))


def decoded(path: Path) -> Decoded:
    """Decode one file by ffmpeg; `pcm_md5` is None when it finds no audio."""
    return _decoded(path, (*_AUDIO, *_PICTURES))


def pcm_md5(path: Path) -> str | None:
    """MD5 of the decoded samples alone, None when there is no audio."""
    return _decoded(path, _AUDIO).pcm_md5


def _decoded(path: Path, streams: tuple[str, ...]) -> Decoded:
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), *streams]
    ran = _run([*command, "-f", "streamhash", "-hash", "md5", "-"])
    hashes = [match for line in ran.stdout.splitlines() if (match := _HASH.match(line))]
    audio = [match["md5"] for match in hashes if match["kind"] == "a"]
    pictures = tuple(match["md5"] for match in hashes if match["kind"] == "v")
    return Decoded(audio[0] if audio else None, pictures, _lines(path, ran.stderr))


def complaints(path: Path) -> tuple[str, ...]:
    """What the format's own checker says against a file, without offsets and counts."""
    found: list[str] = []
    for command in _CHECKS.get(path.suffix, ()):
        ran = _run([*command, str(path)])
        lines = _lines(path, ran.stdout + ran.stderr)
        found += [line for line in lines if _BAD.search(line)]
        if ran.returncode and not lines:
            found.append(f"{command[0]} ends with {ran.returncode}")
    return tuple(found)


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    # A program may cut a character of a tag in two when it prints it.
    return subprocess.run(
        command, capture_output=True, errors="replace", check=False, timeout=_TIMEOUT_S
    )


def _lines(path: Path, output: str) -> tuple[str, ...]:
    """Lines that say the same of two files are equal: no names, offsets, addresses."""
    lines = [line for line in output.splitlines() if not _TEXT_OF_TAGS.match(line)]
    named = (line.replace(str(path), "FILE").strip() for line in lines)
    plain = (re.sub(r"0x[0-9a-f]+|\d+", "N", line) for line in named)
    return tuple(line for line in plain if line)
