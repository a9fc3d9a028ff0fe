"""Tags and pictures over the socket: what arrives, what is refused, and how much fits."""

from __future__ import annotations

import socket as sockets
from collections.abc import Awaitable, Callable
from pathlib import Path

import grpc
import pytest

from musefs.control import client as client_module
from musefs.control.client import Client
from musefs.control.failures import KIND_KEY, TEXT_BYTES_MAX
from musefs.control.v1 import musefs_pb2, musefs_pb2_grpc
from musefs.errors import (
    InvalidImage,
    InvalidTags,
    MusefsError,
    NoSuchEntry,
    NotATrack,
    ServiceUnreachable,
    StateBroken,
)
from musefs.layout.images import IMAGE_BYTES_MAX
from musefs.library.track_tags import TrackTags
from tests.control.service import FAILURES, OTHER, TRACK, SmallService

pytestmark = pytest.mark.usefixtures("server")

CALLS: dict[str, Callable[[Client, str], Awaitable[object]]] = {
    "tags": lambda client, path: client.tags(path),
    "set_tags": lambda client, path: client.set_tags(path, {"title": ["x"]}),
    "clear_tags": lambda client, path: client.clear_tags(path),
    "set_art": lambda client, path: client.set_art(path, b"image"),
}


async def test_tags_arrive_as_they_were_sent(socket: Path, service: SmallService) -> None:
    async with Client(socket) as client:
        assert await client.tags(TRACK.path) == [TRACK]
        assert await client.tags("") == [TRACK, OTHER]
    assert service.tagging.asked == [("show", TRACK.path), ("show", "")]


async def test_a_thousand_tracks_with_long_texts_arrive(
    socket: Path, service: SmallService
) -> None:
    long = TrackTags("a.flac", "flac", {"lyrics": ("la" * 10_000,)}, (), (), None)
    service.tagging.tracks = (long,) * 1000
    async with Client(socket) as client:
        assert await client.tags("a") == [long] * 1000


async def test_edits_pass_what_they_were_given(socket: Path, service: SmallService) -> None:
    changes = {"artist": ["Ana Luz", "Bo"], "genre": [], "lyrics": ["一\n二"]}
    async with Client(socket) as client:
        for edit in (
            client.set_tags("Ana Luz", changes),
            client.clear_tags("Träume.flac"),
            client.set_art("a", b"\xff\xd8\0"),
            client.set_art("a", b""),
            client.set_art("a", None),
        ):
            assert await edit == service.tagging.edited
    assert service.tagging.asked == [
        ("set", "Ana Luz", changes),
        ("clear", "Träume.flac"),
        ("set_art", "a", b"\xff\xd8\0"),
        ("set_art", "a", b""),
        ("set_art", "a", None),
    ]


async def test_a_field_that_comes_twice_adds_up(socket: Path, service: SmallService) -> None:
    fields = [musefs_pb2.Field(name="genre", values=[value]) for value in ("Rock", "Pop")]
    async with grpc.aio.insecure_channel(f"unix:{socket}") as channel:
        stub = musefs_pb2_grpc.MusefsStub(channel)
        await stub.SetTags(musefs_pb2.SetTagsRequest(path="a", changes=fields), timeout=5)
    assert service.tagging.asked == [("set", "a", {"genre": ["Rock", "Pop"]})]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("away", NoSuchEntry),
        ("cover.jpg", NotATrack),
        ("odd", InvalidTags),
        ("gif", InvalidImage),
        ("broken", StateBroken),
    ],
)
async def test_an_error_is_raised_as_the_same_error(
    socket: Path, call: str, path: str, kind: type[MusefsError]
) -> None:
    async with Client(socket) as client:
        with pytest.raises(kind) as caught:
            await CALLS[call](client, path)
    assert type(caught.value) is kind
    assert str(caught.value) == str(FAILURES[path])


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("away", grpc.StatusCode.NOT_FOUND),
        ("cover.jpg", grpc.StatusCode.FAILED_PRECONDITION),
        ("odd", grpc.StatusCode.INVALID_ARGUMENT),
        ("gif", grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
async def test_an_error_has_its_code_and_its_name(
    socket: Path, path: str, code: grpc.StatusCode
) -> None:
    async with grpc.aio.insecure_channel(f"unix:{socket}") as channel:
        stub = musefs_pb2_grpc.MusefsStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.ClearTags(musefs_pb2.ClearTagsRequest(path=path), timeout=5)
    assert caught.value.code() == code
    assert (KIND_KEY, type(FAILURES[path]).__name__) in list(caught.value.trailing_metadata())


@pytest.mark.parametrize("call", CALLS)
async def test_a_long_error_is_cut_and_arrives(socket: Path, call: str) -> None:
    async with Client(socket) as client:
        with pytest.raises(NoSuchEntry) as caught:
            await CALLS[call](client, "long")
    text = str(caught.value)
    assert text.startswith("\\udcffé")
    assert text.endswith("…")
    assert len(text.encode()) <= TEXT_BYTES_MAX + 3


async def test_an_image_of_the_largest_size_passes_and_a_larger_one_is_not_sent(
    socket: Path, service: SmallService
) -> None:
    image = bytes(IMAGE_BYTES_MAX)
    path = "ä" * 2000
    async with Client(socket) as client:
        await client.set_art(path, image)
        with pytest.raises(InvalidImage, match=r"has 10\.0 MiB, at most 10 MiB: make it smaller"):
            await client.set_art(path, image + b"\0")
    assert service.tagging.asked == [("set_art", path, image)]


async def test_values_that_are_too_long_together_are_not_sent(
    socket: Path, service: SmallService
) -> None:
    lyrics = "la" * (1 << 19)
    async with Client(socket) as client:
        await client.set_tags("a", {"lyrics": [lyrics] * 10})
        with pytest.raises(InvalidTags, match="11 MiB, together at most 10 MiB"):
            await client.set_tags("a", {"lyrics": [lyrics] * 11})
    assert len(service.tagging.asked) == 1


async def test_what_is_not_unicode_is_not_sent(socket: Path, service: SmallService) -> None:
    async with Client(socket) as client:
        broken: list[dict[str, list[str]]] = [{"title": ["a", "caf\udce9"]}, {"title\udce9": []}]
        for changes in broken:
            with pytest.raises(InvalidTags, match=r"^title.*is not valid UTF-8") as caught:
                await client.set_tags("a", changes)
            assert str(caught.value).isprintable()
        for call in CALLS.values():
            with pytest.raises(NoSuchEntry, match=r"^caf\\udce9: there is no such file"):
                await call(client, "caf\udce9")
    assert service.tagging.asked == []


async def test_a_service_that_hangs_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "hanging.sock"
    monkeypatch.setattr(client_module, "EDIT_TIMEOUT_S", 0.2)
    with sockets.socket(sockets.AF_UNIX) as hanging:
        hanging.bind(str(path))
        hanging.listen()
        async with Client(path) as client:
            for call in CALLS.values():
                with pytest.raises(ServiceUnreachable):
                    await call(client, "a")
