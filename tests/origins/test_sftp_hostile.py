"""SFTP servers that lie, refuse, answer short or break off: another implementation, misbehaving."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from origins import (
    FileChanged,
    Limits,
    ListingIncomplete,
    Origin,
    OriginUnavailable,
    SftpSpec,
    open_origin,
)
from origins.paths import DEPTH_MAX
from tests.origins.contract import listed, read_whole, some_bytes


class _Anyone(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return password == "right"


class _Plain(asyncssh.SFTPServer):
    """Serves the folder that the factory below sets."""

    root: Path

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes]) -> None:
        super().__init__(channel, chroot=str(self.root).encode())


@asynccontextmanager
async def served(folder: Path, kind: type[_Plain]) -> AsyncIterator[Origin]:
    """An origin on an in-process server of that kind."""
    kind.root = folder / "root"
    kind.root.mkdir(exist_ok=True)
    key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.listen(
        "127.0.0.1", 0, server_factory=_Anyone, server_host_keys=[key], sftp_factory=kind
    )
    port = server.get_port()
    hosts = folder / "known_hosts"
    hosts.write_text(f"[127.0.0.1]:{port} {key.export_public_key().decode()}")
    spec = SftpSpec(
        "box", "127.0.0.1", "/", hosts, port, "me", password="right",
        limits=Limits(timeout_s=5, connections_max=1),
    )  # fmt: skip
    origin = open_origin(spec)
    try:
        yield origin
    finally:
        await origin.aclose()
        server.close()
        await server.wait_closed()


class _Lying(_Plain):
    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        attrs = asyncssh.SFTPAttrs(size=1, permissions=0o100644, atime=1, mtime=1)
        for name in (b"../escape", b"a/b", b"nul\0", b"", b".", b"..", b"good"):
            yield asyncssh.SFTPName(name, b"", attrs)


async def test_impossible_names_are_dropped_with_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(tmp_path, _Lying) as origin:
        assert set(await listed(origin)) == {"good"}
    warnings = [record for record in caplog.records if record.name == "origins.sftp_walk"]
    assert len(warnings) == 1
    assert "impossible name b'../escape'" in warnings[0].getMessage()


class _Refusing(_Plain):
    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        if path.endswith(b"closed"):
            raise asyncssh.SFTPPermissionDenied("no")
        if path.endswith(b"broken"):
            raise asyncssh.SFTPFailure("Input/output error")
        async for name in super().scandir(path):
            yield name


async def test_unreadable_folders_are_named_at_the_end(tmp_path: Path) -> None:
    for name in ("closed", "broken", "open"):
        (tmp_path / "root" / name).mkdir(parents=True)
        (tmp_path / "root" / name / "f").write_bytes(b"x")
    async with served(tmp_path, _Refusing) as origin:
        files = origin.list()
        assert (await anext(files)).path == "open/f"
        with pytest.raises(ListingIncomplete) as incomplete:
            await anext(files)
    assert "'closed'" in str(incomplete.value)
    assert "'broken'" in str(incomplete.value)


class _BreakingOff(_Plain):
    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        async for name in super().scandir(path):
            yield name
        self.channel.get_connection().abort()


async def test_a_listing_that_breaks_off_is_an_outage(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root/f").write_bytes(b"x")
    async with served(tmp_path, _BreakingOff) as origin:
        with pytest.raises(OriginUnavailable):
            await listed(origin)


class _Endless(_Plain):
    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        folder = asyncssh.SFTPAttrs(size=1, permissions=0o40755, atime=1, mtime=1)
        yield asyncssh.SFTPName(b"deeper", b"", folder)


async def test_an_endless_tree_ends(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with served(tmp_path, _Endless) as origin:
        assert await listed(origin) == {}
    assert f"deeper than {DEPTH_MAX} folders" in caplog.text


class _Short(_Plain):
    """Gives at most 1000 bytes of what is asked, and tells no limits."""

    def read(self, file_obj: Any, offset: int, size: int) -> Any:
        return super().read(file_obj, offset, min(size, 1000))


async def test_short_answers_are_completed(tmp_path: Path) -> None:
    data = some_bytes(30_500)
    (tmp_path / "root").mkdir()
    (tmp_path / "root/f").write_bytes(data)
    async with served(tmp_path, _Short) as origin:
        assert await read_whole(origin, "f") == data


class _Changing(_Plain):
    """Rewrites a file between a reader's open and its first read."""

    def read(self, file_obj: Any, offset: int, size: int) -> Any:
        with (self.root / "f").open("ab") as file:
            file.write(b"more")
        return super().read(file_obj, offset, size)


async def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root/f").write_bytes(b"bytes")
    async with served(tmp_path, _Changing) as origin:
        version = (await origin.stat("f")).version
        with pytest.raises(FileChanged):
            await origin.read("f", version, 0, 5)


class _Failing(_Plain):
    def read(self, file_obj: Any, offset: int, size: int) -> Any:
        raise asyncssh.SFTPFailure("Input/output error")


async def test_a_disk_error_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root/f").write_bytes(b"bytes")
    async with served(tmp_path, _Failing) as origin:
        version = (await origin.stat("f")).version
        with pytest.raises(OriginUnavailable, match="Input/output error"):
            await origin.read("f", version, 0, 5)
