"""Run by a test: lists, reads and watches a local origin as the user nobody."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from origins import LocalSpec, OriginError
from origins.local import LocalOrigin

NOBODY = 65534


async def _report(folder: Path) -> None:
    origin = LocalOrigin(LocalSpec("nas", folder))
    try:
        async for info in origin.list():
            print(info.path)
    except OriginError as error:
        print(type(error).__name__, error)
    info = await origin.stat("open/g")
    try:
        await origin.read("open/g", info.version, 0, 1)
    except OriginError as error:
        print(type(error).__name__, error)
    async for batch in origin.watch():
        print("watching", sorted(batch))
        break
    await origin.aclose()


if __name__ == "__main__":
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    asyncio.run(_report(Path(sys.argv[1])))
