"""The read path is built as the configuration says."""

from __future__ import annotations

from musefs.app.parts import assembled
from musefs.config import Config


async def test_the_federation_waits_as_long_as_is_configured(config: Config) -> None:
    wished = config.federation.model_copy(
        update={"patience_s": 0.7, "retries_s": (1.0,), "check_every_s": 5.0}
    )
    async with assembled(config.model_copy(update={"federation": wished}), "test") as parts:
        patience = parts.reading.federation._patience
    assert (patience.hedge_min_s, patience.retries_s, patience.check_every_s) == (0.7, (1.0,), 5.0)
