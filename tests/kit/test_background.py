"""Background tasks: a failure is told once, and takes nothing down."""

from __future__ import annotations

import asyncio
import logging

import pytest

from musefs.kit.background import BackgroundTasks


async def test_a_task_that_fails_is_logged_and_leaves_its_place(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tasks = BackgroundTasks(tasks_max=1)

    async def fail() -> None:
        raise LookupError("broken")

    with caplog.at_level(logging.ERROR):
        assert tasks.start(fail) is not None
        assert repr(tasks) == "<BackgroundTasks 1 of 1>"
        await asyncio.sleep(0.01)

    assert "broken" in caplog.text
    assert len(tasks) == 0
    await tasks.aclose()
