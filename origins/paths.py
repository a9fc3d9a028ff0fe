"""Paths below an origin's root, for the kinds that are file systems.

File names on disks and SFTP servers are bytes. As text they are UTF-8 with surrogate escapes for
what is not UTF-8 (PEP 383), whatever the locale says.
"""

from __future__ import annotations

from dataclasses import dataclass

from origins.errors import FileMissing, ListingIncomplete

DEPTH_MAX = 64
"""Folders below the root that a listing enters; what lies deeper is left out."""

NAMED_MAX = 3


def decoded(raw: bytes) -> str:
    """A file name's bytes as text."""
    return raw.decode("utf-8", "surrogateescape")


def encoded(path: str) -> bytes:
    """The bytes of a path, the inverse of `decoded`."""
    return path.encode("utf-8", "surrogateescape")


def acceptable(name: bytes) -> bool:
    """Whether a name that a server sent can be one part of a path."""
    return name not in (b"", b".", b"..") and b"/" not in name and b"\0" not in name


def checked(path: str) -> bytes:
    """The bytes of a path that cannot lead out of the root.

    Raises FileMissing for anything else, as no file can have that path.
    """
    try:
        raw = encoded(path)
    except UnicodeEncodeError as error:
        raise FileMissing(f"{path!r} cannot be a file's path") from error
    if not all(acceptable(part) for part in raw.split(b"/")):
        raise FileMissing(f"{path!r} is not a path below the origin's root")
    return raw


def join(folder: bytes, name: bytes) -> bytes:
    """The path of `name` in a folder; the root is b""."""
    return folder + b"/" + name if folder else name


def lies_in(root: bytes, resolved: bytes) -> bool:
    """Whether a path without symbolic links is the root or below it."""
    root = root.rstrip(b"/")
    return resolved == root or resolved.startswith(root + b"/")


def left_out(omitted: list[str]) -> ListingIncomplete:
    """The error that ends a listing which had to leave folders out."""
    named = ", ".join(repr(path) for path in omitted[:NAMED_MAX])
    more = f" and {len(omitted) - NAMED_MAX} more" if len(omitted) > NAMED_MAX else ""
    return ListingIncomplete(
        f"could not be read: {named}{more}: give this user read access, or check the disk"
    )


@dataclass(frozen=True, slots=True)
class Ancestry:
    """A folder and those it lies in, up to the root, to notice a loop of symbolic links.

    `identity` is whatever names the folder itself rather than one of its paths.
    """

    identity: object
    above: Ancestry | None = None
    depth: int = 0

    def child(self, identity: object) -> Ancestry:
        """A folder in this one."""
        return Ancestry(identity, self, self.depth + 1)

    def holds(self, identity: object) -> bool:
        """Whether the folder is one of these."""
        step: Ancestry | None = self
        while step is not None:
            if step.identity == identity:
                return True
            step = step.above
        return False
