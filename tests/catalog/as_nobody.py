"""Run by a test: opens a catalogue as the user nobody, prints why it cannot be."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from musefs.catalog.database import open_database
from musefs.errors import StateBroken

NOBODY = 65534


async def _report(path: Path) -> None:
    try:
        database = await open_database(path)
    except StateBroken as error:
        print(error)
    else:
        await database.aclose()


if __name__ == "__main__":
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    asyncio.run(_report(Path(sys.argv[1])))
