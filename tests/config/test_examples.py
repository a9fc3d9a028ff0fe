"""The configurations that are shipped: complete, with the real defaults, and loadable."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from musefs.config import Config, load
from musefs.config.origin_settings import KINDS, Settings
from musefs.config.settings import SECTIONS, keys_of

FOLDER = Path(__file__).parents[2] / "config"
EXAMPLE = FOLDER / "musefs.yaml"
REQUIRED = {"id", "kind", "path", "host", "bucket"}
ENVIRONMENT = {"HOME": "/home/me"}


def whole_example() -> str:
    """The example with its commented-out origins put in force."""
    return re.sub(r"(?m)^#(?=\s{2})", "", EXAMPLE.read_text())


SHIPPED = [EXAMPLE, FOLDER / "docker.yaml"]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_every_shipped_configuration_loads(path: Path) -> None:
    assert load(path, ENVIRONMENT).origins


def test_the_example_names_every_setting_and_no_other() -> None:
    values = yaml.safe_load(whole_example())
    assert set(values) == set(keys_of(Config))
    for section, settings in SECTIONS.items():
        assert set(values[section]) == set(keys_of(settings))
    assert [origin["kind"] for origin in values["origins"]] == list(KINDS)
    for origin in values["origins"]:
        assert set(origin) == set(keys_of(KINDS[origin["kind"]]))


def test_the_example_gives_every_default(tmp_path: Path) -> None:
    whole, bare = tmp_path / "whole.yaml", tmp_path / "bare.yaml"
    whole.write_text(whole_example())
    origins = [
        {key: value for key, value in origin.items() if key in REQUIRED}
        for origin in yaml.safe_load(whole_example())["origins"]
    ]
    bare.write_text(yaml.safe_dump({"origins": origins}))
    assert load(whole, ENVIRONMENT) == load(bare, ENVIRONMENT)


def test_the_example_tells_the_reason_of_every_setting() -> None:
    lines = EXAMPLE.read_text().splitlines()
    parts: dict[str, type[Settings]] = {"": Config, **SECTIONS, **KINDS}
    for section, settings in parts.items():
        for key in keys_of(settings):
            described = [
                line
                for number, line in enumerate(lines)
                if re.match(rf"[#\s-]*{key}:", line)
                and ("  # " in line or "# " in lines[number - 1] or line.endswith(":"))
            ]
            assert described, f"{section}.{key}"
