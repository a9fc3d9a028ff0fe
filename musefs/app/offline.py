"""What musefs does without a mount: index, show what the tree would be, see whether all is well."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable

from musefs.app.parts import Parts, assembled, tree_rules
from musefs.catalog.nodes import ROOT, Node
from musefs.config import AnyOrigin, Config
from musefs.errors import ConfigError, UnknownOrigin
from musefs.indexing.scanning import Progress, ScanOptions
from musefs.kit.beside import beside
from origins import OriginError, open_origin

log = logging.getLogger(__name__)

REPORT_EVERY_S = 0.2

Report = Callable[[Progress], None]


async def scan(config: Config, origin: str | None, full: bool, report: Report) -> list[Progress]:
    """Index one origin, or all side by side, and place the tracks in the tree.

    `report` is called with every origin's progress from time to time. A scan that fails has its
    reason in `error`. Raises UnknownOrigin, ConfigError, StateInUse, StateBroken.
    """
    async with assembled(config, "scan") as parts:
        return await _scan(parts, origin, full, report)


async def preview(config: Config, count: int, report: Report) -> list[str]:
    """Index all origins; the first paths of the tree. Raises what `scan` raises."""
    async with assembled(config, "dry run") as parts:
        await _scan(parts, None, False, report)
        root = await parts.library.entry(ROOT)
        paths: list[str] = []
        await _first_paths(parts, root, "", paths, count)
        return paths


async def check(config: Config) -> list[tuple[str, str | None]]:
    """Each origin's id, and what is wrong with it or None. Raises TemplateError."""
    tree_rules(config)
    reasons = await asyncio.gather(*(_check(settings) for settings in config.origins))
    return [(settings.id, why) for settings, why in zip(config.origins, reasons, strict=True)]


async def _check(settings: AnyOrigin) -> str | None:
    try:
        origin = open_origin(settings.spec(os.environ))
    except ConfigError as error:
        return str(error)
    try:
        await origin.check()
    except OriginError as error:
        return str(error)
    finally:
        await origin.aclose()
    return None


async def _scan(parts: Parts, origin: str | None, full: bool, report: Report) -> list[Progress]:
    if origin is not None and origin not in parts.followers:
        raise UnknownOrigin(
            f"{origin}: there is no such origin: choose one of {', '.join(parts.followers)}"
        )
    followers = [follower for name, follower in parts.followers.items() if origin in (None, name)]
    async with beside([parts.refresher.run(), parts.reading.store.run()], _told):
        scans = asyncio.gather(
            *(follower.rescan(ScanOptions(full=full)) for follower in followers),
            return_exceptions=True,
        )
        while not scans.done():
            await asyncio.wait([scans], timeout=REPORT_EVERY_S)
            for follower in followers:
                report(follower.progress)
    for result in scans.result():
        if isinstance(result, BaseException) and not isinstance(result, OriginError):
            raise result
    await parts.refresher.catch_up()
    return [follower.progress for follower in followers]


def _told(error: BaseException) -> None:
    log.error("the tree cannot be brought up to date: %s", error)


async def _first_paths(
    parts: Parts, folder: Node, above: str, paths: list[str], count: int
) -> None:
    for node in await parts.library.children(folder.inode):
        if len(paths) >= count:
            return
        path = f"{above}/{node.name}"
        if node.kind == "folder":
            await _first_paths(parts, node, path, paths, count)
        else:
            paths.append(path)
