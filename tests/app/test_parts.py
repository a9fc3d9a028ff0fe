"""The parts together: opened in order, closed in order, and reading through all layers."""

from __future__ import annotations

import pytest

from musefs.app.parts import Parts, assembled, tree_rules
from musefs.catalog.nodes import ROOT
from musefs.config import Config
from musefs.errors import StateInUse, TemplateError
from musefs.indexing.scanning import ScanOptions
from musefs.state import is_claimed
from tests.indexing.music import flac


async def indexed(parts: Parts) -> None:
    """Scan all origins and have the tree follow."""
    for follower in parts.followers.values():
        await follower.rescan(ScanOptions())
    await parts.refresher.catch_up()


async def test_a_file_is_read_from_its_origin_through_all_layers(parts: Parts) -> None:
    await indexed(parts)
    node = await parts.library.walk("Unknown/Unknown/one.flac")
    handle = await parts.reading.open_files.open(node)
    assert bytes(await parts.reading.open_files.read(handle, 0, 10_000)) == flac("one")
    parts.reading.open_files.release(handle)
    assert (await parts.library.totals()).tracks == 3


async def test_the_state_is_claimed_for_as_long_as_it_lasts(config: Config) -> None:
    async with assembled(config, "first"):
        with pytest.raises(StateInUse, match="first"):
            async with assembled(config, "second"):
                raise AssertionError("both have it")
    assert not is_claimed(config.state)
    async with assembled(config, "third") as parts:
        assert not parts.state.unclean


async def test_an_end_by_an_exception_counts_as_unclean(config: Config) -> None:
    with pytest.raises(ZeroDivisionError):
        async with assembled(config, "test"):
            raise ZeroDivisionError
    assert not is_claimed(config.state)
    async with assembled(config, "test") as parts:
        assert parts.state.unclean


async def test_an_origin_that_is_no_longer_configured_leaves_the_tree(config: Config) -> None:
    async with assembled(config, "test") as parts:
        await indexed(parts)
    fewer = config.model_copy(update={"origins": config.origins[1:]})
    async with assembled(fewer, "test") as parts:
        await parts.refresher.catch_up()
        [folder] = await parts.library.children(ROOT)
        [album] = await parts.library.children(folder.inode)
        assert [node.name for node in await parts.library.children(album.inode)] == ["both.flac"]


def test_the_rules_of_the_tree_change_with_what_a_place_depends_on(config: Config) -> None:
    def text(**changes: object) -> str:
        tree = config.tree.model_copy(update=changes)
        return tree_rules(config.model_copy(update={"tree": tree})).text

    texts = {
        text(),
        text(template="$title"),
        text(default="?"),
        text(names="windows"),
        text(case_insensitive=True),
        text(fallbacks={"album": ("title",)}),
    }
    assert len(texts) == 6
    assert text(sidecars=("x",)) == text()
    with pytest.raises(TemplateError):
        text(template="$title[")
