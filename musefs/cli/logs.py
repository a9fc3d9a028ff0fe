"""Where log records go and how they look: one line each, for people or as JSON.

Everything logs through the standard library; structlog only writes the lines. Libraries that log
requests are kept to warnings whatever the level: at debug they write signatures and whole packets.
"""

from __future__ import annotations

import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from musefs.cli.output import printable

FILE_BYTES_MAX = 10 << 20
FILES_KEPT = 1
QUIET_LIBRARIES = (
    *("aiobotocore", "aiohttp", "aiosqlite", "asyncio", "asyncssh", "boto3", "botocore"),
    *("grpc", "keyring", "pyfuse3", "urllib3", "watchfiles"),
)
_OWN = frozenset({"event", "level", "timestamp", "exception"})


class _Stderr(logging.Handler):
    """Writes to what stderr is at that moment: a progress bar takes its place for a while."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            sys.stderr.write(self.format(record) + "\n")
        except Exception:  # noqa: BLE001 - logging must not break what it tells of
            self.handleError(record)


def set_up(level: str, form: Literal["text", "json"], file: Path | None = None) -> None:
    """Log from this level on to stderr, or to a file of bounded size."""
    handler: logging.Handler = _Stderr()
    if file is not None:
        handler = RotatingFileHandler(
            file, maxBytes=FILE_BYTES_MAX, backupCount=FILES_KEPT, encoding="utf-8"
        )
    handler.setFormatter(_formatter(form))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)


def _formatter(form: Literal["text", "json"]) -> logging.Formatter:
    last: Processor = _as_text if form == "text" else structlog.processors.JSONRenderer()
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            last,
        ],
    )


def _as_text(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """Time, level, message, key=value; the trace of an unforeseen error follows on its own lines.

    A message may hold the names of files: no line break of theirs makes a second record.
    """
    pairs = [f"{key}={event[key]!r}" for key in event if key not in _OWN and key != "logger"]
    head = f"{event['timestamp']} {event['level']:<8}{printable(str(event['event']))}"
    line = " ".join([head, *pairs])
    return f"{line}\n{event['exception']}" if "exception" in event else line
