"""Passwords and keys: named in the configuration, fetched when an origin is opened, never shown.

A secret is `{env: NAME}`, `{file: PATH}`, `{keyring: service/user}`, or the text itself, which is
possible but leaves it readable in the configuration.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import PlainSerializer, PlainValidator, ValidationInfo

from musefs.config.paths import surroundings
from musefs.errors import ConfigError

_SECRET_BYTES_MAX = 64 << 10
_ALLOWED = "allowed: {env: NAME}, {file: PATH}, {keyring: service/user}, or text in quotes"
_HIDDEN = "**********"


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """Where a secret is kept. `reference` is the name, path or service/user; for `text` itself."""

    kept_in: Literal["text", "env", "file", "keyring"]
    reference: str

    def __repr__(self) -> str:
        return f"<Secret kept in {self.kept_in}>"

    def reveal(self, key: str, environment: Mapping[str, str]) -> str:
        """The secret itself; reads the disk or asks the keyring, so it blocks.

        `key` names the setting in errors. Raises ConfigError when the secret is not to be had.
        """
        match self.kept_in:
            case "text":
                secret = self.reference
            case "env":
                secret = environment.get(self.reference, "")
            case "file":
                secret = _from_file(Path(self.reference), key)
            case _:
                secret = _from_keyring(self.reference, key)
        if not secret:
            raise ConfigError(f"{key}: {self._missing()}")
        return secret

    def _missing(self) -> str:
        """What to do about a secret that is empty or not there."""
        if self.kept_in == "env":
            return f"the environment variable {self.reference} is not set or empty; set it"
        if self.kept_in == "file":
            return f"the file {self.reference} is empty; write the secret into it"
        service, _, user = self.reference.rpartition("/")
        return f"the keyring has no such entry; run: keyring set {service} {user}"


def _from_file(path: Path, key: str) -> str:
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise ConfigError(f"{key}: {path} can be read by others; run: chmod 600 {path}")
            data = file.read(_SECRET_BYTES_MAX + 1)
    except OSError as error:
        raise ConfigError(f"{key}: cannot read {path}: {error.strerror}") from error
    if len(data) > _SECRET_BYTES_MAX:
        raise ConfigError(f"{key}: {path} is larger than 64 KiB; it should hold the secret alone")
    try:
        return data.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        # The error would carry the secret's bytes along.
        raise ConfigError(f"{key}: {path} is not UTF-8 text; write the secret as text") from None


def _from_keyring(reference: str, key: str) -> str:
    # Imported here: it looks for its backends on import, and few configurations use it.
    import keyring
    import keyring.errors

    service, _, user = reference.rpartition("/")
    try:
        return keyring.get_password(service, user) or ""
    except (keyring.errors.KeyringError, RuntimeError) as error:
        text = "the system keyring cannot be asked; unlock it, or use {env: NAME} or {file: PATH}"
        raise ConfigError(f"{key}: {text}") from error


def _parse(value: object, info: ValidationInfo) -> Secret:
    """Raises ValueError whose text never repeats `value`."""
    if isinstance(value, Secret):
        return value
    if isinstance(value, str) and value:
        return Secret("text", value)
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError(f"should tell where the secret is kept; {_ALLOWED}")
    ((kept_in, reference),) = value.items()
    if not isinstance(reference, str) or not reference:
        raise ValueError(f"should name where the secret is kept, as text; {_ALLOWED}")
    match kept_in:
        case "env":
            return Secret("env", reference)
        case "file":
            return Secret("file", str(surroundings(info).absolute(reference)))
        case "keyring" if all(reference.rpartition("/")[::2]):
            return Secret("keyring", reference)
    raise ValueError(f"should tell where the secret is kept; {_ALLOWED}")


SecretSetting = Annotated[
    Secret, PlainValidator(_parse), PlainSerializer(lambda _: _HIDDEN, return_type=str)
]
