"""An S3 server: the contract, and what only S3 can do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from origins import (
    AccessDenied,
    FileChanged,
    FileMissing,
    Limits,
    OriginError,
    OriginUnavailable,
    S3Spec,
    Version,
    open_origin,
)
from origins.s3 import S3Origin
from origins.s3_errors import meaning_of
from origins.s3_ranges import extent
from tests.lab.processes import free_port
from tests.lab.s3server import SECRET_KEY, S3Server
from tests.origins.contract import OriginContract, Peer, listed, read_whole, some_bytes
from tests.origins.s3_peer import S3Peer

SPECIAL = [
    "a//b",
    "/leading",
    "a/../b",
    "..",
    "./x",
    "100%",
    "what?",
    "1+1=2",
    "a b",
    "ü/ß€",
    "x&y;z",
]


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with S3Server() as running:
        yield running


@pytest.fixture
def peer(server: S3Server) -> Iterator[S3Peer]:
    yield S3Peer(server)
    server.reset()


class TestS3Origin(OriginContract):
    @pytest.fixture
    def peer(self, server: S3Server) -> Peer:
        return S3Peer(server)


async def refusal(spec: S3Spec, kind: type[Exception]) -> str:
    """The text with which a check is refused."""
    origin = S3Origin(spec)
    try:
        with pytest.raises(kind) as refused:
            await origin.check()
    finally:
        await origin.aclose()
    text = str(refused.value)
    assert "\n" not in text
    return text


async def test_special_keys_are_listed_and_read(server: S3Server, peer: S3Peer) -> None:
    for key in SPECIAL:
        peer.put(key, key.encode())
    origin = open_origin(server.spec(peer.prefix))
    infos = await listed(origin)
    assert set(infos) == set(SPECIAL)
    for key, info in infos.items():
        assert await origin.stat(key) == info
        assert await read_whole(origin, key) == key.encode()
    await origin.aclose()


async def test_folder_markers_are_left_out(server: S3Server, peer: S3Peer) -> None:
    for key in ("", "album/", "album/1.flac"):
        peer.put(key, b"")
    origin = open_origin(server.spec(peer.prefix))
    assert set(await listed(origin)) == {"album/1.flac"}
    with pytest.raises(FileMissing):
        await origin.stat("album/")
    await origin.aclose()


async def test_a_prefix_is_a_folder_with_or_without_its_slash(
    server: S3Server, peer: S3Peer
) -> None:
    peer.put("in/f", b"x")
    peer.put("in too/f", b"x")
    for prefix in (peer.prefix + "in", peer.prefix + "in/"):
        origin = open_origin(server.spec(prefix))
        assert set(await listed(origin)) == {"f"}
        await origin.aclose()


async def test_only_the_range_is_transferred(server: S3Server, peer: S3Peer) -> None:
    peer.put("f", some_bytes(1_000_000))
    origin = open_origin(server.spec(peer.prefix))
    version = (await origin.stat("f")).version
    server.reset()
    for n in range(10):
        await origin.read("f", version, n * 1000, 500)
    assert server.stats() == {"requests": 10, "body_bytes": 5000, "connections": 1}
    await origin.aclose()


async def test_a_server_that_answers_with_the_whole_object_gives_the_right_bytes(
    server: S3Server, peer: S3Peer
) -> None:
    data = some_bytes(1_000_000)
    peer.put("f", data)
    origin = open_origin(server.spec(peer.prefix))
    version = (await origin.stat("f")).version
    server.fail("whole", 3)
    assert await origin.read("f", version, 600_000, 1000) == data[600_000:601_000]
    assert await origin.read("f", version, 999_990, 1000) == data[999_990:]
    assert await origin.read("f", version, 2_000_000, 1000) == b""
    await origin.aclose()


@pytest.mark.parametrize("fault", ["slow", "cut"])
async def test_a_failing_server_is_unavailable_once(
    server: S3Server, peer: S3Peer, fault: str
) -> None:
    data = some_bytes(60_000)
    peer.put("f", data)
    origin = open_origin(server.spec(peer.prefix))
    version = (await origin.stat("f")).version
    server.reset()
    server.fail(fault, 1)
    with pytest.raises(OriginUnavailable) as failure:
        await origin.read("f", version, 0, len(data))
    assert failure.value.retryable
    assert server.stats()["requests"] == 1
    assert await origin.read("f", version, 0, len(data)) == data
    await origin.aclose()


@pytest.mark.parametrize("fault", ["slow", "cut", "deny"])
async def test_a_failing_listing_is_never_a_short_one(
    server: S3Server, peer: S3Peer, fault: str
) -> None:
    peer.put("f", b"x")
    origin = open_origin(server.spec(peer.prefix))
    await origin.check()
    server.fail(fault, 1)
    with pytest.raises(OriginError):
        await listed(origin)
    await origin.aclose()


async def test_a_refused_signature_is_denied(server: S3Server, peer: S3Peer) -> None:
    server.fail("deny", 1)
    text = await refusal(server.spec(), AccessDenied)
    assert "check secret_key (SignatureDoesNotMatch)" in text
    assert SECRET_KEY not in text


async def test_a_server_that_hangs_is_unavailable_in_time(server: S3Server, peer: S3Peer) -> None:
    origin = open_origin(server.spec(limits=Limits(timeout_s=0.3)))
    server.fail("hang", 1)
    with pytest.raises(OriginUnavailable):
        await origin.check()
    await origin.aclose()


async def test_a_bucket_that_does_not_exist_is_denied(server: S3Server) -> None:
    spec = replace(server.spec(), bucket="no-such-bucket")
    text = await refusal(spec, AccessDenied)
    assert f"bucket 'no-such-bucket' at {server.endpoint}: the bucket does not exist" in text
    origin = open_origin(spec)
    for call in (origin.stat("f"), listed(origin), origin.read("f", Version("x"), 0, 1)):
        with pytest.raises(AccessDenied, match="check bucket and endpoint"):
            await call
    await origin.aclose()


async def test_a_bucket_name_that_cannot_be_is_denied(server: S3Server) -> None:
    assert "bucket" in await refusal(replace(server.spec(), bucket="not a bucket"), AccessDenied)


async def test_nobody_listening_is_unavailable(server: S3Server) -> None:
    spec = replace(server.spec(), endpoint=f"http://127.0.0.1:{free_port()}")
    assert "check endpoint and network" in await refusal(spec, OriginUnavailable)


async def test_an_endpoint_that_is_no_url_is_denied(server: S3Server) -> None:
    await refusal(replace(server.spec(), endpoint="nonsense"), AccessDenied)


async def test_without_credentials_it_says_how_to_give_them(
    server: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    spec = replace(server.spec(), access_key=None, secret_key=None)
    assert "set access_key and secret_key, or AWS_" in await refusal(spec, AccessDenied)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "from")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "environment")
    origin = S3Origin(spec)
    await origin.check()
    await origin.aclose()


def test_secrets_are_never_shown(server: S3Server) -> None:
    spec = server.spec()
    assert SECRET_KEY not in repr(spec) + repr(S3Origin(spec)) + repr(open_origin(spec))


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [("SlowDown", 503, OriginUnavailable), ("InternalError", 500, OriginUnavailable),
     ("502", 502, OriginUnavailable), ("429", 429, OriginUnavailable),
     ("RequestTimeout", 400, OriginUnavailable), ("NoSuchBucket", 404, AccessDenied),
     ("NoSuchKey", 404, FileMissing), ("404", 404, FileMissing), ("412", 412, FileChanged),
     ("PreconditionFailed", 412, FileChanged), ("403", 403, AccessDenied),
     ("InvalidAccessKeyId", 403, AccessDenied), ("PermanentRedirect", 301, AccessDenied),
     ("RequestTimeTooSkewed", 403, AccessDenied)],
)  # fmt: skip
def test_each_code_has_its_meaning(code: str, status: int, kind: type[Exception]) -> None:
    assert type(meaning_of(code, status, "bucket")) is kind


@pytest.mark.parametrize(
    ("length", "content_range", "expected"),
    [(100, None, (0, 100)), (10, "bytes 5-14/100", (5, 100)), (10, "bytes 5-14/*", (5, 15))],
)
def test_the_extent_of_an_answer(
    length: int, content_range: str | None, expected: tuple[int, int]
) -> None:
    assert extent(length, content_range) == expected
