"""A folder of a test's own on an SFTP server."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from origins import (
    Limits,
    Origin,
    SftpSpec,
    open_origin,
)
from origins.sftp import SftpOrigin
from tests.lab.sshd import Sshd


class SftpPeer:
    """A folder of its own on the server."""

    def __init__(self, server: Sshd) -> None:
        self.server = server
        self.name = uuid.uuid4().hex
        self.folder = server.files / self.name
        self.folder.mkdir()

    def spec(self, limits: Limits | None = None) -> SftpSpec:
        """How to open it."""
        return replace(self.server.spec(limits), path=f"/music/{self.name}")

    def put(self, path: str, data: bytes) -> None:
        """Write a file as a tagger does: beside the old one, then in its place."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_name(".new")
        new.write_bytes(data)
        new.rename(file)

    def delete(self, path: str) -> None:
        """Delete a file."""
        (self.folder / path).unlink()

    def open(self, limits: Limits) -> Origin:
        """As an origin."""
        return open_origin(self.spec(limits))


async def refusal(spec: SftpSpec, kind: type[Exception]) -> str:
    """The text with which a check is refused."""
    origin = SftpOrigin(spec)
    try:
        with pytest.raises(kind) as refused:
            await origin.check()
    finally:
        await origin.aclose()
    text = str(refused.value)
    assert "\n" not in text
    return text
