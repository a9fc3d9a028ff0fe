"""From a file, the environment and the command line to a Config; the later one wins."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from musefs.config.complaints import describe
from musefs.config.document import Document, parse
from musefs.config.environment import Overrides, with_environment, with_overrides
from musefs.config.paths import Surroundings
from musefs.config.settings import Config
from musefs.errors import ConfigError

_FILE_BYTES_MAX = 1 << 20


def load(path: Path, environment: Mapping[str, str], overrides: Overrides | None = None) -> Config:
    """The configuration in a YAML file. Secrets are not fetched yet.

    Relative paths in it are relative to the file's folder. Raises ConfigError: one line with the
    place, the key, and what is allowed.
    """
    document = with_environment(parse(_text(path), str(path)), environment)
    return validated(with_overrides(document, overrides or {}), environment, path.parent)


def validated(document: Document, environment: Mapping[str, str], folder: Path) -> Config:
    """The Config that a document describes. Raises ConfigError."""
    home = environment.get("HOME")
    surroundings = Surroundings(folder.absolute(), Path(home) if home else None)
    try:
        return Config.model_validate(document.values, context=surroundings)
    except ValidationError as error:
        # Its details hold the rejected values, and a secret may be among them.
        raise ConfigError(describe(error, document)) from None


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_FILE_BYTES_MAX + 1)
        if len(data) > _FILE_BYTES_MAX:
            raise ConfigError(f"{path}: is larger than 1 MiB; is it a musefs.yaml?")
        return data.decode("utf-8-sig")
    except FileNotFoundError as error:
        text = "no such file; start from the example config/musefs.yaml, or name folders instead"
        raise ConfigError(f"{path}: {text}") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text; save it as UTF-8") from None
