"""The commands `tags show|set|clear|art`, against a served control socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from musefs.control.server import ControlServer
from musefs.layout.images import IMAGE_BYTES_MAX
from musefs.layout.tag_values import VALUE_BYTES_MAX
from musefs.library.track_tags import SHOWN_MAX, Edited
from tests.cli.conftest import Ask
from tests.control.service import FAILURES, OTHER, TRACK, SmallService, SmallTagging

SOCKET = ("--socket", "control.sock")


@pytest.fixture
async def tagging(tmp_path: Path) -> AsyncIterator[SmallTagging]:
    service = SmallService()
    server = ControlServer(service, tmp_path / "control.sock")
    await server.start()
    yield service.tagging
    await server.stop(0)


async def test_a_track_is_shown_with_its_edits_marked(ask: Ask, tagging: SmallTagging) -> None:
    done = await ask("tags", "show", "/" + TRACK.path, *SOCKET)
    assert (done.code, done.errors) == (0, "")
    assert done.out.splitlines() == [
        "path       Ana Luz/Blue/01 Träume.flac",
        "format     flac",
        "artist     Ana Luz",
        "           Bo",
        "genre *    (removed)",
        "lyrics     one",
        r"           \ttwo \x1b[31m",
        "my rating  5",
        "title *    Träume",
        "art *      front cover, image/png, 2.0 KiB, given",
        "           picture of type 7, unknown type, 10 B",
    ]
    assert tagging.asked == [("show", TRACK.path)]


async def test_a_track_says_why_it_is_untouched_and_that_its_art_is_gone(
    ask: Ask, tagging: SmallTagging
) -> None:
    tagging.tracks = (replace(OTHER, edited=("art",)),)
    done = await ask("tags", "show", OTHER.path, *SOCKET)
    assert done.out.splitlines()[2:] == [
        "art *      (removed)",
        "untouched  it has an ID3v2 tag of more than 4096 frames",
    ]


async def test_a_folder_is_shown_as_a_list(ask: Ask, tagging: SmallTagging) -> None:
    done = await ask("tags", "show", "Ana Luz", *SOCKET)
    assert done.out.splitlines() == [
        "Ana Luz/Blue/01 Träume.flac  flac  edited: art, genre, title",
        "Ana Luz/Blue/02.mp3          mp3   edited: title, served untouched",
    ]
    tagging.tracks = (TRACK,)
    done = await ask("tags", "show", "Ana Luz", *SOCKET)
    assert done.out.count("\n") == 1
    tagging.tracks = (TRACK,) * SHOWN_MAX
    done = await ask("tags", "show", "/", *SOCKET)
    assert done.out.endswith("these are the first 1000: name a smaller folder for others\n")
    assert tagging.asked[-1] == ("show", "")


async def test_json_has_every_field(ask: Ask, tagging: SmallTagging) -> None:
    done = await ask("tags", "show", "Ana Luz", *SOCKET, "--json")
    assert json.loads(done.out) == {
        "tracks": json.loads(json.dumps([asdict(TRACK), asdict(OTHER)]))
    }
    for words in (("set", "a", "title=b"), ("clear", "a"), ("art", "a", "--remove")):
        done = await ask("tags", *words, *SOCKET, "--json")
        assert json.loads(done.out) == json.loads(json.dumps(asdict(tagging.edited)))


async def test_fields_are_set_removed_and_read_from_files(
    ask: Ask, tagging: SmallTagging, tmp_path: Path
) -> None:
    (tmp_path / "text").write_bytes("\ufefföne\r\ntwo = 3\n".encode())
    words = ("genre=Rock", "genre=Pop", "title=a=b", "comment=", "lyrics@=text", "url=x@=y")
    done = await ask("tags", "set", "a/b.flac", *words, *SOCKET)
    assert (done.code, done.errors) == (0, "")
    changes = {
        "genre": ["Rock", "Pop"],
        "title": ["a=b"],
        "comment": [],
        "lyrics": ["öne\r\ntwo = 3\n"],
        "url": ["x@=y"],
    }
    assert tagging.asked == [("set", "a/b.flac", changes)]


async def test_an_edit_tells_where_the_tracks_are_now(ask: Ask, tagging: SmallTagging) -> None:
    tagging.edited = Edited((TRACK, OTHER), 5, pending=True)
    done = await ask("tags", "clear", "./Ana Luz//Blue/", *SOCKET)
    assert (done.code, done.errors) == (0, "")
    assert done.out.splitlines() == [
        TRACK.path,
        OTHER.path,
        "  served with its original bytes: it has an ID3v2 tag of more than 4096 frames",
        "and 3 more",
        "stored; the mount shows it later (musefs status tells how many changes are to follow)",
    ]
    assert tagging.asked == [("clear", "Ana Luz/Blue")]


async def test_a_picture_is_given_and_taken_away(
    ask: Ask, tagging: SmallTagging, tmp_path: Path
) -> None:
    image = b"\xff\xd8" + bytes(IMAGE_BYTES_MAX - 2)
    (tmp_path / "cover.jpg").write_bytes(image)
    assert (await ask("tags", "art", "a", "cover.jpg", *SOCKET)).code == 0
    assert (await ask("tags", "art", "a", "--remove", *SOCKET)).code == 0
    assert tagging.asked == [("set_art", "a", image), ("set_art", "a", None)]


async def test_a_picture_that_is_too_large_is_not_read(
    ask: Ask, tagging: SmallTagging, tmp_path: Path
) -> None:
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(1 << 40)
    done = await ask("tags", "art", "a", "huge.png", *SOCKET)
    assert (done.code, done.errors) == (
        1,
        "musefs: huge.png: the picture has 1048576.0 MiB, at most 10 MiB: make it smaller\n",
    )
    done = await ask("tags", "art", "a", "/dev/zero", *SOCKET)
    assert done.errors.startswith("musefs: /dev/zero: the picture has 10.0 MiB, at most 10 MiB")
    assert tagging.asked == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("art", "a", "none.jpg"), "none.jpg: No such file or directory: name a JPEG or PNG"),
        (("art", "a", "."), ".: Is a directory: name a JPEG or PNG"),
        (("set", "a", "lyrics@=none"), "none: No such file or directory: name a file to read the"),
        (("set", "a", "lyrics@="), ".: Is a directory: name a file to read the value from"),
        (("set", "a", "lyrics@=binary"), "binary: is not UTF-8: convert it (iconv -t UTF-8)"),
        (("set", "a", "lyrics@=/dev/zero"), "/dev/zero: has more than 512.0 KiB: a value may have"),
        (("set", "a", "title=caf\udce9"), "title: is not valid UTF-8: give UTF-8"),
        (("clear", "caf\udce9"), "caf\\udce9: there is no such file or folder in the tree"),
        (("show", "~nobody-here/x/../\udcff"), "~nobody-here/\\udcff: there is no such file"),
        (("show", "away"), str(FAILURES["away"])),
        (("clear", "cover.jpg"), str(FAILURES["cover.jpg"])),
        (("set", "odd", "track=x"), str(FAILURES["odd"])),
    ],
)
async def test_what_cannot_be_done_is_one_line(
    ask: Ask, tagging: SmallTagging, tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfea\0")
    done = await ask("tags", *words, *SOCKET)
    assert (done.code, done.out) == (1, "")
    assert done.errors.startswith(f"musefs: {told}")
    assert done.errors.count("\n") == 1


async def test_a_text_that_is_too_long_is_refused_and_the_longest_is_not(
    ask: Ask, tagging: SmallTagging, tmp_path: Path
) -> None:
    (tmp_path / "long").write_bytes(b"x" * VALUE_BYTES_MAX)
    (tmp_path / "longer").write_bytes(b"x" * (VALUE_BYTES_MAX + 1))
    assert (await ask("tags", "set", "a", "lyrics@=long", *SOCKET)).code == 0
    assert (await ask("tags", "set", "a", "lyrics@=longer", *SOCKET)).code == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), ""),
        (("set", "a"), "Missing argument 'KEY=VALUE...'"),
        (("set", "a", "title"), "title: should be KEY=VALUE, such as title=Blue"),
        (("set", "a", "=x"), "=x: should be KEY=VALUE"),
        (("set", "a", "@=x"), "@=x: should be KEY=VALUE"),
        (("set", "a", "\x1b]\udcff"), "\\x1b]\\udcff: should be KEY=VALUE"),
        (("show",), "Missing argument 'PATH'"),
        (("show", ""), 'PATH is empty: name a track or a folder; "/" is the whole tree'),
        (("clear", "", "--socket", "x"), "PATH is empty"),
        (("art", "a"), "give the path of an image, or --remove: one of them"),
        (("art", "a", "x.jpg", "--remove"), "give the path of an image, or --remove"),
        (("show", "a", "--socket", "x", "--config", "y"), "name the musefs once"),
    ],
)
async def test_wrong_usage_ends_with_2(ask: Ask, words: tuple[str, ...], told: str) -> None:
    done = await ask("tags", *words)
    assert done.code == 2
    assert "Usage: musefs tags" in done.out + done.errors
    assert told in done.errors
    assert "Traceback" not in done.errors


async def test_the_service_is_found_by_the_configuration(
    ask: Ask, tagging: SmallTagging, tmp_path: Path
) -> None:
    (tmp_path / "musefs.yaml").write_text(
        "origins: [{id: a, kind: local, path: music}]\ncontrol: {socket: control.sock}\n"
    )
    done = await ask("tags", "show", TRACK.path, "--config", "musefs.yaml")
    assert (done.code, done.errors) == (0, "")
    assert tagging.asked == [("show", TRACK.path)]


async def test_output_that_cannot_be_encoded_is_escaped(ask: Ask, tagging: SmallTagging) -> None:
    done = await ask("tags", "show", TRACK.path, *SOCKET, PYTHONIOENCODING="koi8-r")
    assert done.code == 0
    assert "title *    Tr\\xe4ume\n" in done.out
