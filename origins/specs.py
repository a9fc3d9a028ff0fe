"""What it takes to open an origin: plain values, resolved from the configuration by the caller."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on the use of one origin."""

    requests_max: int = 16
    timeout_s: float = 30.0
    connect_timeout_s: float = 10.0
    bandwidth_bytes_per_s: int | None = None
    poll_s: float = 300.0
    connections_max: int = 4


SFTP_LIMITS = Limits(requests_max=64)
"""A cold file costs two round trips here, and connections take many requests at once."""


S3_LIMITS = Limits(requests_max=28)
"""One request a connection, and each connection that joins in makes a beginning faster."""


@dataclass(frozen=True, slots=True)
class LocalSpec:
    """A folder. `watch`: inotify where it works (auto), always, by polling, or not at all."""

    id: str
    path: Path
    watch: Literal["auto", "inotify", "poll", "off"] = "auto"
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class SftpSpec:
    """A folder on an SSH server. Without a key and a password the ssh-agent is asked."""

    id: str
    host: str
    path: str
    known_hosts: Path
    port: int = 22
    user: str | None = None
    key: Path | None = None
    password: str | None = field(default=None, repr=False)
    limits: Limits = SFTP_LIMITS


@dataclass(frozen=True, slots=True)
class S3Spec:
    """Keys below a prefix of a bucket. Without keys the AWS credential chain is used."""

    id: str
    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    region: str | None = None
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    limits: Limits = S3_LIMITS


OriginSpec = LocalSpec | SftpSpec | S3Spec
