"""From the command line to a configuration that is right, its templates included."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from musefs.config import Config, from_sources, is_config, load
from musefs.errors import ConfigError, TemplateError
from musefs.library.template import Template

Overrides = Mapping[str, Mapping[str, object]]
"""Settings by section and key; None means not given."""


def from_file(path: Path, overrides: Overrides | None = None) -> Config:
    """The configuration in a file, the environment and the overrides over it.

    Raises ConfigError, which TemplateError is.
    """
    if path.is_dir():
        raise ConfigError(f"{path}: is a folder; name a configuration file such as musefs.yaml")
    config = load(path, os.environ, overrides)
    check_templates(config, str(path))
    return config


def from_arguments(sources: Sequence[str], overrides: Overrides) -> Config:
    """The configuration of one file, or of folders and URLs. Raises ConfigError."""
    if len(sources) == 1 and is_config(sources[0]):
        return from_file(Path(sources[0]), overrides)
    config = from_sources(sources, overrides, os.environ)
    check_templates(config, "command line")
    return config


def check_templates(config: Config, place: str) -> None:
    """See that every template can be read. Raises TemplateError."""
    named = {"tree.template": config.tree.template}
    named |= {f"tree.views.{name}": text for name, text in config.tree.views.items()}
    for key, text in named.items():
        try:
            Template.parse(text, config.tree.fallbacks, config.tree.default)
        except TemplateError as error:
            reason = str(error).removeprefix("template: ")
            raise TemplateError(f"{place}: {key}: {reason}") from error
