"""What can go wrong, told by what the caller can do about it.

Texts are one line for a person: what, where, and what to do. They never hold a secret.
"""

from __future__ import annotations


class MusefsError(Exception):
    """Any failure that musefs explains itself."""


class ConfigError(MusefsError):
    """The configuration is wrong: name the key, the line and what is allowed."""


class TemplateError(ConfigError):
    """A template cannot be read: name the position and what is allowed there."""


class StateInUse(MusefsError):
    """Another musefs serves this state folder."""


class StateBroken(MusefsError):
    """The state folder or its catalogue cannot be used."""


class MountFailed(MusefsError):
    """The mountpoint cannot be used, or the kernel refused the mount."""


class ServiceUnreachable(MusefsError):
    """No running musefs answers on the control socket."""


class NoSuchEntry(MusefsError):
    """There is no file or folder of that name or inode in the tree."""


class NoSuchAttribute(MusefsError):
    """The file has no extended attribute of that name."""


class NotAFolder(MusefsError):
    """A folder was expected."""


class IsAFolder(MusefsError):
    """A file was expected."""


class ReadOnly(MusefsError):
    """The mount takes no changes."""


class ContentUnavailable(MusefsError):
    """No origin can give these bytes now; later it may work."""


class ContentChanged(MusefsError):
    """No origin has this version any more; the next open finds the new one."""


class NotATrack(MusefsError):
    """A sidecar, or a file of musefs itself: it has no tags to show or to change."""


class InvalidTags(MusefsError):
    """Tags that a user gave cannot be taken: name the field and what is allowed."""


class InvalidImage(MusefsError):
    """A picture that a user gave cannot be taken: say what it is and what is allowed."""


class InvalidQuery(MusefsError):
    """What should name tracks cannot be understood: say where, and what is allowed."""


class UnknownPin(MusefsError):
    """Nothing was pinned by that query."""


class UnknownTier(MusefsError):
    """There is no cache of that name."""


class BackupFailed(MusefsError):
    """The copy of the catalogue cannot be written: name the file and what is in the way."""


class UnknownOrigin(MusefsError):
    """The configuration has no origin of that id."""
