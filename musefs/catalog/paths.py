"""Paths of origins as the catalogue keeps them. Pure.

In Python a path is a str whose undecodable bytes are surrogate escapes (PEP 383); in the catalogue
it is the BLOB of the bytes themselves.
"""

from __future__ import annotations


def to_blob(path: str) -> bytes:
    """The bytes of a path."""
    return path.encode("utf-8", "surrogateescape")


def from_blob(path: bytes) -> str:
    """The path that these bytes are."""
    return path.decode("utf-8", "surrogateescape")


def folder_of(path: str) -> str:
    """The folder that holds a path; empty for one at the root."""
    return path.rpartition("/")[0]
