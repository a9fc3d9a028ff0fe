"""Logging in to an SSH server, and what its refusals mean.

The server's key must be in known_hosts: nothing is ever accepted silently, and each refusal says
how to accept. ~/.ssh/config is not consulted: what the spec does not say does not happen.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import socket
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncssh

from origins.errors import AccessDenied, FileMissing, OriginError, OriginUnavailable
from origins.specs import SftpSpec

SSH_PORT = 22
USUAL_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
KEEPALIVE_S = 15
KEEPALIVES_MISSED_MAX = 3
WINDOW_BYTES = 16 << 20
"""Sent before the next is allowed: a connection carries so much a round trip at most."""

HOST_KEY_ALGORITHMS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)

_MISSING = (
    asyncssh.SFTPNoSuchFile,
    asyncssh.SFTPNoSuchPath,
    asyncssh.SFTPNotADirectory,
    asyncssh.SFTPInvalidFilename,
)


def where(spec: SftpSpec) -> str:
    """The server as a URL for messages; holds no secret."""
    user = f"{spec.user}@" if spec.user else ""
    port = "" if spec.port == SSH_PORT else f":{spec.port}"
    return f"sftp://{user}{spec.host}{port}"


@contextmanager
def translating(what: str) -> Iterator[None]:
    """Turn what asyncssh and the socket raise into OriginErrors about `what`."""
    try:
        yield
    except (asyncssh.Error, OSError) as error:
        raise translated(error, what) from error


def translated(error: Exception, what: str) -> OriginError:
    """What the failure of a request means to the caller."""
    if isinstance(error, _MISSING):
        return FileMissing(f"{what}: there is no such file")
    if isinstance(error, socket.gaierror):
        return OriginUnavailable(
            f"{what}: no such host ({error.strerror}): check the name and the network"
        )
    if isinstance(error, asyncssh.SFTPPermissionDenied):
        return AccessDenied(f"{what}: may not be read: give the server's user read access")
    return OriginUnavailable(f"{what}: {_reason(error)}: check the server and the network")


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


async def log_in(spec: SftpSpec) -> asyncssh.SSHClientConnection:
    """A connection whose peer and user are verified.

    Raises AccessDenied (host key, credentials), OriginUnavailable (name, network, time).
    """
    hosts = await asyncio.to_thread(_known_hosts, spec)
    agent, options = await _credentials(spec)
    try:
        return await asyncssh.connect(
            spec.host,
            spec.port,
            username=spec.user or _current_user(),
            known_hosts=hosts,
            server_host_key_algs=_host_key_algorithms(spec, hosts),
            config=None,
            agent_path=None,
            gss_host=None,
            connect_timeout=spec.limits.connect_timeout_s,
            login_timeout=spec.limits.connect_timeout_s,
            keepalive_interval=KEEPALIVE_S,
            keepalive_count_max=KEEPALIVES_MISSED_MAX,
            window=WINDOW_BYTES,
            **options,
        )
    except asyncssh.HostKeyNotVerifiable as error:
        raise _refused_host_key(spec, hosts) from error
    except asyncssh.KeyExchangeFailed as error:
        raise AccessDenied(
            f"{where(spec)}: no key exchange ({_reason(error)}): update the server"
        ) from error
    except (asyncssh.PermissionDenied, asyncssh.IllegalUserName) as error:
        raise AccessDenied(
            f"{where(spec)}: the login is refused: check user and key or password"
        ) from error
    except (asyncssh.Error, OSError) as error:
        raise translated(error, where(spec)) from error
    finally:
        if agent is not None:
            agent.close()


def _current_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise AccessDenied("this process's user has no name: set `user`") from error


def _known_hosts(spec: SftpSpec) -> asyncssh.SSHKnownHosts:
    try:
        return asyncssh.read_known_hosts(str(spec.known_hosts))
    except FileNotFoundError as error:
        raise AccessDenied(
            f"{where(spec)}: known_hosts file {spec.known_hosts} is missing: {_how_to_accept(spec)}"
        ) from error
    except (OSError, ValueError) as error:
        raise AccessDenied(
            f"{where(spec)}: known_hosts file {spec.known_hosts} cannot be used: {_reason(error)}"
        ) from error


def _how_to_accept(spec: SftpSpec) -> str:
    return (
        "verify the server's key, then "
        f"`ssh-keyscan -p {spec.port} {spec.host} >> {spec.known_hosts}`"
    )


def _known_keys(spec: SftpSpec, hosts: asyncssh.SSHKnownHosts) -> Sequence[asyncssh.SSHKey]:
    port = None if spec.port == SSH_PORT else spec.port
    return asyncssh.match_known_hosts(hosts, spec.host, "", port)[0]


def _host_key_algorithms(spec: SftpSpec, hosts: asyncssh.SSHKnownHosts) -> Sequence[str]:
    """Those of the known keys first, so that the server shows a key that can be compared.

    The others follow: a server whose only key is of another kind shall be told apart, by its key,
    from one that breaks off.
    """
    known = [name.decode() for key in _known_keys(spec, hosts) for name in key.sig_algorithms]
    return list(dict.fromkeys([*known, *HOST_KEY_ALGORITHMS])) if known else ()


def _refused_host_key(spec: SftpSpec, hosts: asyncssh.SSHKnownHosts) -> AccessDenied:
    if not _known_keys(spec, hosts):
        return AccessDenied(
            f"{where(spec)}: the server's key is unknown: not in {spec.known_hosts}: "
            f"{_how_to_accept(spec)}"
        )
    name = spec.host if spec.port == SSH_PORT else f"[{spec.host}]:{spec.port}"
    return AccessDenied(
        f"{where(spec)}: the server's key has CHANGED, it may be another machine: if the change is "
        f"expected, `ssh-keygen -R '{name}' -f {spec.known_hosts}`, {_how_to_accept(spec)}"
    )


async def _credentials(spec: SftpSpec) -> tuple[asyncssh.SSHAgentClient | None, dict[str, Any]]:
    """How to prove who we are: the given key or password; without both what `ssh` would use."""
    if spec.key is not None:
        key = await asyncio.to_thread(_private_key, spec.key)
        return None, {
            "client_keys": [key],
            "password": spec.password,
            "preferred_auth": ("publickey", "password", "keyboard-interactive"),
        }
    if spec.password is not None:
        return None, {
            "client_keys": None,
            "password": spec.password,
            "preferred_auth": ("password", "keyboard-interactive"),
        }
    try:
        return await _ask_agent(spec)
    except AccessDenied:
        keys = await asyncio.to_thread(_usual_keys)
        if not keys:
            raise
        return None, {"client_keys": keys, "preferred_auth": ("publickey",)}


def _usual_keys() -> list[asyncssh.SSHKey]:
    """The keys that ssh(1) takes by itself, those left out that need a passphrase."""
    keys = []
    for name in USUAL_KEYS:
        file = Path.home() / ".ssh" / name
        if file.exists():
            with contextlib.suppress(AccessDenied):
                keys.append(_private_key(file))
    return keys


async def _ask_agent(spec: SftpSpec) -> tuple[asyncssh.SSHAgentClient, dict[str, Any]]:
    try:
        agent = await asyncssh.connect_agent()
        keys = await agent.get_keys()
    except (OSError, ValueError, asyncssh.Error) as error:
        raise _no_credentials(spec, "and no ssh-agent answers") from error
    if not keys:
        agent.close()
        raise _no_credentials(spec, "and the ssh-agent holds no key")
    return agent, {"client_keys": keys, "preferred_auth": ("publickey",)}


def _no_credentials(spec: SftpSpec, reason: str) -> AccessDenied:
    return AccessDenied(
        f"{where(spec)}: neither key nor password is given {reason}, nor is there a usable "
        "~/.ssh/id_*: set `key` or `password`, or run ssh-add"
    )


def _private_key(file: Path) -> asyncssh.SSHKey:
    try:
        mode = stat.S_IMODE(os.stat(file).st_mode)
        if mode & 0o077:
            raise AccessDenied(f"key {file} can be read by others: `chmod 600 {file}`")
        return asyncssh.read_private_key(str(file))
    except asyncssh.KeyImportError as error:
        if "assphrase" in str(error):
            raise _encrypted(file) from error
        raise AccessDenied(f"key {file} is not a private key: {_reason(error)}") from error
    except asyncssh.KeyEncryptionError as error:
        raise _encrypted(file) from error
    except OSError as error:
        raise AccessDenied(
            f"key {file} cannot be read ({error.strerror}): correct `key`"
        ) from error


def _encrypted(file: Path) -> AccessDenied:
    return AccessDenied(
        f"key {file} is encrypted: `ssh-add {file}` and leave `key` out, or take one that is not"
    )
