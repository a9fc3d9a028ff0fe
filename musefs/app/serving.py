"""The mounted service, from the lock to the clean end: what runs beside what, who stops whom."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from musefs.app.parts import Parts, assembled, priorities
from musefs.app.service import App
from musefs.config import Config
from musefs.control.server import ControlServer
from musefs.kit.beside import beside
from musefs.library.own_files import OwnFiles
from musefs.mount.attributes import Appearance
from musefs.mount.extended import ExtendedAttributes
from musefs.mount.operations import Operations
from musefs.mount.session import MountOptions, Session

log = logging.getLogger(__name__)


async def serve(config: Config, mountpoint: Path, ready: Callable[[], None]) -> None:
    """Mount the library and serve it until a signal, a shutdown request or an unmount.

    `ready` is called once the tree can be walked. Raises MusefsError when it cannot begin.
    """
    _tell_what_is_not_served(config)
    async with assembled(config, f"mount at {mountpoint}") as parts:
        app = App(parts, str(mountpoint))
        session = Session(
            _operations(parts, app),
            MountOptions(
                mountpoint,
                parts.state.path,
                config.mount.allow_other,
                is_local=_is_local(config),
            ),
        )
        await session.prepare()
        async with _signals(app), _controlled(config, app), _beside(parts, app):
            await session.start()
            try:
                await _serve(parts, app, session, ready)
            finally:
                parts.refresher.listeners.clear()
                await session.close()
    if app.failure is not None:
        raise app.failure


async def _serve(parts: Parts, app: App, session: Session, ready: Callable[[], None]) -> None:
    parts.refresher.listeners.append(session.tell)
    serving = asyncio.create_task(session.serve())
    stopping = asyncio.create_task(app.stopping.wait())
    await session.prepare_reading()
    log.info("mounted at %s", session.mountpoint)
    ready()
    app.mounted.set()
    try:
        await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
        if not serving.done():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(app.drain_s):
                    await parts.reading.open_files.idle.wait()
    finally:
        stopping.cancel()
        await session.stop()
        await serving


def _tell_what_is_not_served(config: Config) -> None:
    wanted = {
        "tree.views": bool(config.tree.views),
        "control.web": config.control.web,
        "control.metrics": "metrics" in config.control.model_fields_set
        and config.control.metrics is not None,
    }
    for key in (key for key, is_set in wanted.items() if is_set):
        log.warning("%s is set, but this version does not serve it yet", key)


@asynccontextmanager
async def _beside(parts: Parts, app: App) -> AsyncIterator[None]:
    """What runs beside the mount."""
    work = [
        parts.reading.store.run(),
        parts.reading.federation.run(),
        parts.scrubber.run(),
        parts.refresher.run(),
        parts.warming.pins.run(),
        *_followers(parts, app),
    ]
    async with beside(work, app.fail):
        yield


def _followers(parts: Parts, app: App) -> list[Coroutine[Any, Any, None]]:
    """One for each origin. A local listing needs the processor, and so does mounting: it waits."""

    async def follow_once_mounted(origin: str) -> None:
        await app.mounted.wait()
        await parts.followers[origin].run()

    local = {origin.id for origin in parts.config.origins if origin.kind == "local"}
    return [
        follow_once_mounted(origin) if origin in local else follower.run()
        for origin, follower in parts.followers.items()
    ]


@asynccontextmanager
async def _signals(app: App) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    wanted = (signal.SIGTERM, signal.SIGINT)
    for number in wanted:
        loop.add_signal_handler(number, app.request_shutdown, 0.0)
    try:
        yield
    finally:
        for number in wanted:
            loop.remove_signal_handler(number)


@asynccontextmanager
async def _controlled(config: Config, app: App) -> AsyncIterator[None]:
    server = ControlServer(app, config.control_socket, config.state / "control.sock")
    await server.start()
    try:
        yield
    finally:
        await server.stop()


def _operations(parts: Parts, app: App) -> Operations:
    mount = parts.config.mount
    own = OwnFiles({"status.json": app.status_json, "unserved.txt": app.unserved_text})
    appearance = Appearance(
        uid=os.getuid() if mount.uid is None else mount.uid,
        gid=os.getgid() if mount.gid is None else mount.gid,
        file_mode=mount.file_mode,
        folder_mode=mount.dir_mode,
    )
    extended = ExtendedAttributes(parts.reading.whereabouts, priorities(parts.config))
    operations = Operations(parts.library, parts.reading.open_files, own, extended, appearance)
    operations.is_local = _is_local(parts.config)
    app.requests = operations.requests
    return operations


def _is_local(config: Config) -> bool:
    return not any(origin.cached for origin in config.origins)
