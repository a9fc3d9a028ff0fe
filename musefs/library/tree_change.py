"""What a refresh of the tree did, for those who remember its entries."""

from __future__ import annotations

from dataclasses import dataclass, field

from musefs.model import Inode


@dataclass(slots=True)
class TreeChange:
    """Names that are gone, files with other bytes, and folders whose entries are others.

    `gone` holds (parent, name, inode) of entries that were removed or renamed.
    """

    gone: list[tuple[Inode, str, Inode]] = field(default_factory=list)
    rewritten: set[Inode] = field(default_factory=set)
    folders: set[Inode] = field(default_factory=set)
