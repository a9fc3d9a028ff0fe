"""From a spec to an origin: the one place that knows all kinds.

A kind is imported when the first origin of it is opened: nobody waits for a library (asyncssh,
aiobotocore) that the configuration has no use for.
"""

from __future__ import annotations

from typing import assert_never

from origins.base import Origin
from origins.limited import Limited
from origins.specs import LocalSpec, OriginSpec, S3Spec, SftpSpec


def open_origin(spec: OriginSpec) -> Origin:
    """An origin within its limits. Nothing is read or connected before it is first used."""
    return Limited(_of_its_kind(spec), spec.limits)


def _of_its_kind(spec: OriginSpec) -> Origin:
    match spec:
        case LocalSpec():
            from origins.local import LocalOrigin

            return LocalOrigin(spec)
        case SftpSpec():
            from origins.sftp import SftpOrigin

            return SftpOrigin(spec)
        case S3Spec():
            from origins.s3 import S3Origin

            return S3Origin(spec)
        case _:
            assert_never(spec)
