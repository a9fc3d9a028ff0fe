"""Log lines: their form, their level, and what must never be among them."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

PROGRAM = """
import logging, sys, warnings
from pathlib import Path
from musefs.cli import logs
logs.set_up(sys.argv[1], sys.argv[2], Path(sys.argv[3]) if len(sys.argv) > 3 else None)
log = logging.getLogger("musefs.test")
log.debug("detail")
log.info("%s is back", "nas", extra={"failures": 3, "path": "a b"})
log.warning("line\\nbreak \\x1b[2J")
for name in ("botocore.auth", "asyncssh.sftp", "aiosqlite", "urllib3.connectionpool"):
    logging.getLogger(name).info("signature=secret")
    logging.getLogger(name).debug("signature=secret")
logging.getLogger("botocore").warning("worth knowing")
warnings.warn("old way")
try:
    1 / 0
except ZeroDivisionError as error:
    log.error("unforeseen", exc_info=error)
"""


def logged(*arguments: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout == ""
    return done.stderr


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("level", ["debug", "info", "warning"])
def test_requests_of_libraries_are_never_logged(level: str, form: str) -> None:
    text = logged(level, form)
    assert "secret" not in text
    assert "worth knowing" in text
    assert ("detail" in text) == (level == "debug")
    assert ("is back" in text) == (level != "warning")


def test_a_text_line_has_time_level_message_and_pairs() -> None:
    lines = logged("info", "text").splitlines()
    time, rest = lines[0].split(" ", 1)
    assert datetime.fromisoformat(time)
    assert rest == "info    nas is back failures=3 path='a b'"


def test_a_message_stays_on_its_line() -> None:
    lines = logged("info", "text").splitlines()
    assert lines[1].endswith(" warning line\\nbreak \\x1b[2J")


def test_the_trace_of_an_unforeseen_error_is_kept() -> None:
    for form in ("text", "json"):
        assert "ZeroDivisionError: division by zero" in logged("info", form)


def test_every_json_line_is_a_record() -> None:
    records = [json.loads(line) for line in logged("info", "json").splitlines()]
    assert records[0]["event"] == "nas is back"
    assert (records[0]["level"], records[0]["failures"]) == ("info", 3)
    assert records[0]["logger"] == "musefs.test"
    assert any("old way" in record["event"] for record in records)


def test_a_file_gets_the_lines_instead(tmp_path: Path) -> None:
    assert logged("info", "text", tmp_path / "musefs.log") == ""
    assert "nas is back" in (tmp_path / "musefs.log").read_text()
