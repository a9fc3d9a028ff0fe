"""How chunk files are named: 256 folders by the digest's first byte, the rest of it below. Pure
but for the listing.
"""

from __future__ import annotations

import os
from pathlib import Path

DIGEST_BYTES = 32


def name_of(digest: bytes) -> str:
    """Folder and name of a chunk's file, below the store's."""
    name = digest.hex()
    return f"{name[:2]}/{name[2:]}"


def listed(folder: Path) -> list[tuple[bytes, int]]:
    """Digest and size of every chunk in a folder of the store; what is none is left out."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                digest = _digest_from(folder.name + entry.name)
                size = _size_of(entry) if digest is not None else None
                if digest is not None and size is not None:
                    found.append((digest, size))
    except FileNotFoundError:
        return []
    return found


def _size_of(entry: os.DirEntry[str]) -> int | None:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        return None


def _digest_from(name: str) -> bytes | None:
    try:
        digest = bytes.fromhex(name)
    except ValueError:
        return None
    return digest if len(digest) == DIGEST_BYTES and digest.hex() == name else None
