"""What can go wrong with an origin, told by what the caller can do about it.

Each kind translates its library's exceptions into these, in its own module. The text is one line
for a person: what, where, and what to do. It never holds a secret.
"""

from __future__ import annotations


class OriginError(Exception):
    """Any failure of an origin. `retryable`: whether the same call may succeed a moment later."""

    retryable = False


class FileMissing(OriginError):
    """There is no such file at this origin."""


class FileChanged(OriginError):
    """The file is there, but it is not the version that was asked for."""


class AccessDenied(OriginError):
    """Credentials, permissions or a host key are refused: a person has to act."""


class OriginUnavailable(OriginError):
    """The origin cannot be reached, is overloaded or broke off: the next try may succeed."""

    retryable = True


class ListingIncomplete(OriginError):
    """Raised after the last file of a listing that had to leave folders out.

    What was listed is right; what was not listed may still exist.
    """
