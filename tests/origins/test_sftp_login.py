"""Logging in to an SSH server: host keys and credentials, and the texts of refusals."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from origins import (
    AccessDenied,
)
from origins.sftp import SftpOrigin
from tests.lab.sshd import Sshd
from tests.origins.sftp_peer import refusal


@pytest.fixture(scope="module")
def server() -> Iterator[Sshd]:
    with Sshd() as running:
        yield running


# Host keys


async def test_a_missing_known_hosts_file_is_refused(server: Sshd, tmp_path: Path) -> None:
    spec = replace(server.spec(), known_hosts=tmp_path / "none")
    text = await refusal(spec, AccessDenied)
    assert f"known_hosts file {tmp_path}/none is missing: verify the server's key, then" in text
    assert f"`ssh-keyscan -p {server.port} 127.0.0.1 >> {tmp_path}/none`" in text


async def test_an_unknown_host_key_is_refused(server: Sshd, tmp_path: Path) -> None:
    (tmp_path / "known_hosts").touch()
    text = await refusal(replace(server.spec(), known_hosts=tmp_path / "known_hosts"), AccessDenied)
    assert "key is unknown" in text
    assert "ssh-keyscan" in text


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
async def test_a_changed_host_key_is_refused(server: Sshd, tmp_path: Path, kind: str) -> None:
    making = await asyncio.create_subprocess_exec(
        "ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(tmp_path / "other")
    )
    assert await making.wait() == 0
    hosts = tmp_path / "known_hosts"
    hosts.write_text(f"[127.0.0.1]:{server.port} {(tmp_path / 'other.pub').read_text()}")
    text = await refusal(replace(server.spec(), known_hosts=hosts), AccessDenied)
    assert "has CHANGED" in text
    assert f"ssh-keygen -R '[127.0.0.1]:{server.port}'" in text


async def test_a_known_hosts_file_in_disorder_is_refused(server: Sshd, tmp_path: Path) -> None:
    (tmp_path / "known_hosts").write_text("one two\n")
    await refusal(replace(server.spec(), known_hosts=tmp_path / "known_hosts"), AccessDenied)


# Credentials


async def test_a_wrong_key_is_refused(server: Sshd) -> None:
    text = await refusal(replace(server.spec(), key=server.new_key("stranger")), AccessDenied)
    assert text.startswith("sftp://root@127.0.0.1:")
    assert "the login is refused: check user and key or password" in text


async def test_a_user_that_does_not_exist_is_refused(server: Sshd) -> None:
    assert "refused" in await refusal(replace(server.spec(), user="nobody-here"), AccessDenied)


async def test_a_wrong_password_is_refused_and_never_shown(server: Sshd) -> None:
    spec = replace(server.spec(), key=None, password="hunter2hunter2")
    text = await refusal(spec, AccessDenied)
    assert "hunter2" not in text + repr(spec) + repr(SftpOrigin(spec))


async def test_a_key_that_others_can_read_is_refused(server: Sshd) -> None:
    key = server.new_key("open_key")
    key.chmod(0o644)
    assert f"`chmod 600 {key}`" in await refusal(replace(server.spec(), key=key), AccessDenied)


async def test_an_encrypted_key_is_refused(server: Sshd) -> None:
    key = server.new_key("locked_key", "a passphrase")
    assert "is encrypted" in await refusal(replace(server.spec(), key=key), AccessDenied)


@pytest.mark.parametrize("content", [None, b"no key at all"])
async def test_a_key_file_that_is_none_is_refused(
    server: Sshd, tmp_path: Path, content: bytes | None
) -> None:
    key = tmp_path / "key"
    if content is not None:
        key.write_bytes(content)
        key.chmod(0o600)
    assert f"key {key}" in await refusal(replace(server.spec(), key=key), AccessDenied)


async def test_without_key_and_password_and_agent_it_is_refused(
    server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    text = await refusal(replace(server.spec(), key=None), AccessDenied)
    assert "no ssh-agent answers" in text


async def test_the_usual_key_of_the_user_will_do(
    server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    locked = server.new_key("locked_key", "a passphrase")
    shutil.copy(locked, tmp_path / ".ssh/id_ed25519")
    shutil.copy(server.key, tmp_path / ".ssh/id_rsa")
    origin = SftpOrigin(replace(server.spec(), key=None))
    await origin.check()
    await origin.aclose()


async def test_the_agent_is_asked_without_key_and_password(
    server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = tmp_path / "agent"
    agent = await asyncio.create_subprocess_exec(
        "ssh-agent", "-D", "-a", str(door), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert agent.stdout is not None
        await agent.stdout.readline()  # printed once it listens
        monkeypatch.setenv("SSH_AUTH_SOCK", str(door))
        monkeypatch.setenv("HOME", str(tmp_path))
        spec = replace(server.spec(), key=None)
        assert "holds no key" in await refusal(spec, AccessDenied)
        adding = await asyncio.create_subprocess_exec("ssh-add", "-q", str(server.key))
        assert await adding.wait() == 0
        origin = SftpOrigin(spec)
        await origin.check()
        await origin.aclose()
    finally:
        agent.terminate()
        await agent.wait()
