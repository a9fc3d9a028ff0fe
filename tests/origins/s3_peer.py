"""Keys below a prefix of a test's own, on any S3 server of the lab."""

from __future__ import annotations

import uuid
from typing import Protocol

from origins import Limits, Origin, S3Spec, open_origin


class Server(Protocol):
    """A server of the lab with one bucket."""

    def put(self, key: str, data: bytes) -> None:
        """Create or replace an object."""
        ...

    def delete(self, key: str) -> None:
        """Delete an object."""
        ...

    def spec(self, prefix: str = "", limits: Limits | None = None) -> S3Spec:
        """How to open the bucket."""
        ...


class S3Peer:
    """A prefix, which stands for the root."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.prefix = uuid.uuid4().hex + "/"

    def put(self, path: str, data: bytes) -> None:
        """Create or replace a file."""
        self.server.put(self.prefix + path, data)

    def delete(self, path: str) -> None:
        """Delete a file."""
        self.server.delete(self.prefix + path)

    def open(self, limits: Limits) -> Origin:
        """As an origin."""
        return open_origin(self.server.spec(self.prefix, limits))
