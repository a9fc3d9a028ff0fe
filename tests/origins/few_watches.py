"""Run by a test where inotify watches have run out: prints warnings and what a watch tells."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

from origins import Limits, LocalSpec
from origins.local import LocalOrigin


class _Print(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        print("warning", record.getMessage().split(" (")[0])


async def _report(folder: Path) -> None:
    logging.getLogger("origins").addHandler(_Print())
    origin = LocalOrigin(LocalSpec("nas", folder, "inotify", Limits(poll_s=0.01)))
    batches = origin.watch()
    print(sorted(await anext(batches)))
    print(sorted(await anext(batches)))
    await origin.aclose()


if __name__ == "__main__":
    asyncio.run(_report(Path(sys.argv[1])))
