"""OpenStack Swift keeps the contract, and checks what the other S3 server does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from origins import AccessDenied
from origins.s3 import S3Origin
from tests.lab.swift import Swift
from tests.origins.contract import OriginContract, Peer
from tests.origins.s3_peer import S3Peer

pytestmark = pytest.mark.swift


@pytest.fixture(scope="module")
def server() -> Iterator[Swift]:
    with Swift() as running:
        yield running


class TestSwiftOrigin(OriginContract):
    @pytest.fixture
    def peer(self, server: Swift) -> Peer:
        return S3Peer(server)


@pytest.mark.parametrize("wrong", [{"secret_key": "wrong"}, {"access_key": "test:nobody"}])
async def test_wrong_credentials_are_denied(server: Swift, wrong: dict[str, str]) -> None:
    origin = S3Origin(replace(server.spec(), **wrong))  # type: ignore[arg-type]
    with pytest.raises(AccessDenied) as refused:
        await origin.check()
    assert "wrong" not in str(refused.value)
    await origin.aclose()
