"""docs/formats.md: its vocabulary is the real one, and what it calls lost is lost, and no more.

The table is printed by `python -m tests.matrix.test_formats_page`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from musefs.layout.formats import EXTENSIONS
from musefs.layout.ranged import in_memory
from musefs.layout.reading import read_tags
from musefs.layout.synthesis import RETAGGED
from musefs.layout.tags import Tags
from musefs.layout.vocabulary import VOCABULARY
from tests.lab.served import Change, retag
from tests.matrix.originals import originals

PAGE = Path(__file__).parents[2] / "docs" / "formats.md"
_MARK = "<!-- vocabulary: made by tests/matrix/test_formats_page.py -->\n"
_FREEFORM = "----:com.apple.iTunes:"
ORIGINALS = {
    "id3": "v24.mp3",
    "wav": "info.wav",
    "vorbis": "plain.flac",
    "opus": "opus.opus",
    "mp4": "last.m4a",
    "ape": "wavpack.wv",
    "asf": "windows.wma",
}


def vocabulary_table() -> str:
    """The vocabulary as a table in Markdown."""
    lines = ["field | Vorbis | ID3v2.4 | MP4 | APEv2 | ASF | RIFF INFO", "---|" * 6 + "---"]
    for names in VOCABULARY:
        mp4 = names.mp4.replace(_FREEFORM, "----:")
        columns = (names.field, names.vorbis, names.id3, mp4, names.ape, names.asf, names.info)
        lines.append(" | ".join(columns).strip())
    return "".join(f"| {line} |\n" for line in lines)


def read_back(name: str, tags: Tags) -> dict[str, tuple[str, ...]]:
    """What a file that is served with these tags says."""
    made = retag(originals()[name], Change(lambda _: tags))
    return dict(read_tags(made.format, in_memory(made.materialise())).tags)


def test_the_vocabulary_on_the_page_is_the_real_one() -> None:
    assert PAGE.read_text("utf-8").partition(_MARK)[2].strip() == vocabulary_table().strip()


def test_every_extension_of_a_re_tagged_format_is_on_the_page() -> None:
    rows = PAGE.read_text("utf-8").partition("## By format")[2].partition("## What")[0]
    words = set(rows.replace(",", " ").split())
    assert {name for name, kind in EXTENSIONS.items() if kind in RETAGGED} <= words


@pytest.mark.parametrize("kind", ORIGINALS)
@pytest.mark.parametrize("values", [("Ünï 東 🎧",), ("one", "two"), ("1",)])
def test_every_field_reads_back(kind: str, values: tuple[str, ...]) -> None:
    tags = {names.field: values for names in VOCABULARY}
    assert read_back(ORIGINALS[kind], tags) == tags


@pytest.mark.parametrize(
    ("kind", "tags", "left"),
    [
        ("mp4", {"tracknumber": ("007",)}, {"tracknumber": ("7",)}),
        ("vorbis", {"größe": ("1",), "a=b": ("1",)}, {}),
        ("ape", {"größe": ("1",), "x": ("1",), "tag": ("1",)}, {}),
        ("ape", {"t" * 256: ("1",)}, {}),
        ("asf", {"größe": ("1",), "a=b": ("1",)}, {"größe": ("1",), "a=b": ("1",)}),
        ("id3", {"größe": ("1",), "a=b": ("1",)}, {"größe": ("1",), "a=b": ("1",)}),
    ],
)
def test_what_is_lost_is_on_the_page(kind: str, tags: Tags, left: Tags) -> None:
    assert read_back(ORIGINALS[kind], tags) == left


if __name__ == "__main__":
    print(vocabulary_table(), end="")
