"""Secrets are fetched when they are needed, and show nowhere."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.errors
import pytest
from keyring.backends.fail import Keyring as NoKeyring

from musefs.config import Config, Secret, SftpOrigin, load
from musefs.errors import ConfigError
from origins.specs import S3Spec, SftpSpec

PASSWORD = "hunter2-very-secret"
HEAD = "origins: [{id: box, kind: sftp, host: h, path: /m, "


class MemoryKeyring(keyring.backend.KeyringBackend):
    """A keyring that lives as long as a test."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password


@pytest.fixture
def memory_keyring() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(MemoryKeyring())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def no_keyring() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(NoKeyring())  # type: ignore[no-untyped-call]
    yield
    keyring.set_keyring(before)


def configured(folder: Path, setting: str, environment: dict[str, str] | None = None) -> Config:
    path = folder / "musefs.yaml"
    path.write_text(f"{HEAD}password: {setting}}}]\n")
    return load(path, environment or {})


def password_of(config: Config, environment: dict[str, str] | None = None) -> str | None:
    spec = config.origins[0].spec(environment or {})
    assert isinstance(spec, SftpSpec)
    assert PASSWORD not in repr(spec)
    return spec.password


def test_a_secret_of_the_environment_is_looked_up_when_the_origin_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configured(tmp_path, "{env: BOX_PASSWORD}")
    assert password_of(config, {"BOX_PASSWORD": PASSWORD}) == PASSWORD
    told = r"^origins.box.password: the environment variable BOX_PASSWORD is not set or empty"
    with pytest.raises(ConfigError, match=told):
        password_of(config)
    monkeypatch.setenv("BOX_PASSWORD", PASSWORD)
    spec = config.origins[0].spec()
    assert isinstance(spec, SftpSpec)
    assert spec.password == PASSWORD


def test_a_secret_in_a_file_loses_its_line_end_only(tmp_path: Path) -> None:
    file = tmp_path / "box.secret"
    file.write_text(f" {PASSWORD} \r\n")
    file.chmod(0o600)
    assert password_of(configured(tmp_path, "{file: box.secret}")) == f" {PASSWORD} "


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o777])
def test_a_secret_file_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "box.secret"
    file.write_text(PASSWORD)
    file.chmod(mode)
    with pytest.raises(ConfigError, match=rf"can be read by others; run: chmod 600 {file}"):
        password_of(configured(tmp_path, "{file: box.secret}"))


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"", "is empty"), (b"\n", "is empty"), (b"\xff", "not UTF-8"), (b"x" * 65537, "larger")],
)
def test_a_secret_file_without_a_usable_secret_is_refused(
    tmp_path: Path, content: bytes, told: str
) -> None:
    file = tmp_path / "box.secret"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(ConfigError, match=rf"^origins.box.password: .*{told}"):
        password_of(configured(tmp_path, "{file: box.secret}"))


def test_a_missing_secret_file_is_told_on_opening_only(tmp_path: Path) -> None:
    config = configured(tmp_path, "{file: none.secret}")
    with pytest.raises(ConfigError, match=r"cannot read .*none.secret: No such file"):
        password_of(config)


@pytest.mark.usefixtures("memory_keyring")
def test_a_secret_of_the_keyring_is_found(tmp_path: Path) -> None:
    config = configured(tmp_path, "{keyring: musefs/box/me}")
    with pytest.raises(ConfigError, match=r"no such entry; run: keyring set musefs/box me"):
        password_of(config)
    keyring.set_password("musefs/box", "me", PASSWORD)
    assert password_of(config) == PASSWORD


@pytest.mark.usefixtures("no_keyring")
def test_a_system_without_a_keyring_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^origins.box.password: the system keyring cannot"):
        password_of(configured(tmp_path, "{keyring: musefs/me}"))


def test_a_secret_can_be_the_text_or_come_from_an_override(tmp_path: Path) -> None:
    assert password_of(configured(tmp_path, PASSWORD)) == PASSWORD
    variable = {"MUSEFS_ORIGINS__BOX__PASSWORD": PASSWORD}
    assert password_of(configured(tmp_path, "{env: OTHER}", variable)) == PASSWORD


def test_both_keys_of_a_bucket_are_revealed(tmp_path: Path) -> None:
    path = tmp_path / "musefs.yaml"
    keys = "access_key: {env: A}, secret_key: {env: B}"
    path.write_text(f"origins: [{{id: b, kind: s3, bucket: m, {keys}}}]\n")
    spec = load(path, {}).origins[0].spec({"A": "access", "B": PASSWORD})
    assert isinstance(spec, S3Spec)
    assert (spec.access_key, spec.secret_key) == ("access", PASSWORD)
    assert PASSWORD not in repr(spec)


def test_a_configuration_never_shows_a_secret(tmp_path: Path) -> None:
    config = configured(tmp_path, PASSWORD)
    origin = config.origins[0]
    assert isinstance(origin, SftpOrigin)
    shown = (
        repr(config),
        str(config),
        f"{origin.password} {origin.password!r}",
        config.model_dump_json(),
        str(config.model_dump()),
        str(config.model_dump(mode="json")),
    )
    for text in shown:
        assert PASSWORD not in text
    assert repr(origin.password) == "<Secret kept in text>"


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}password: [{PASSWORD}]}}]\n",
        f"{HEAD}password: {{plain: {PASSWORD}}}}}]\n",
        f"{HEAD}password: {{env: [{PASSWORD}]}}}}]\n",
        f"{HEAD}password: {{env: A, file: {PASSWORD}}}}}]\n",
        f"{HEAD}password: {{keyring: {PASSWORD}}}}}]\n",
        f"{HEAD}password: {{file: '{PASSWORD}\\0'}}}}]\n".replace("'", '"'),
        f"{HEAD}password: 12345, port: {PASSWORD}}}]\n",
        f"{HEAD}password: ''}}]\n",
        f"{HEAD}pasword: {PASSWORD}}}]\n",
        f"{HEAD}password: {PASSWORD}, port: x}}]\n",
        f"{HEAD}password: {PASSWORD}, password: x}}]\n",
        f"{HEAD}password: {PASSWORD}: x: y}}]\n",
        f'{HEAD}password: "{PASSWORD}\n',
        f"{HEAD}password: !{PASSWORD} }}]\n",
        f"{HEAD}password: !!{PASSWORD} x}}]\n",
        f"{HEAD}password: !{PASSWORD}!x }}]\n",
        f"{HEAD}password: *{PASSWORD} }}]\n",
        f"{HEAD}password: [&{PASSWORD} a, &{PASSWORD} b]}}]\n",
        f"{HEAD}password: %{PASSWORD} }}]\n",
        f"{HEAD}password: @{PASSWORD} }}]\n",
        f"{HEAD}password: !!binary {PASSWORD}}}]\n",
        f"{HEAD}password: !!int {PASSWORD}}}]\n",
        f"{HEAD}password: !!timestamp {PASSWORD}}}]\n",
        f"{HEAD}password: !!set {PASSWORD}}}]\n",
        f"{HEAD}<<: {PASSWORD}}}]\n",
        f"{HEAD}password: \1{PASSWORD}}}]\n",
        f"origins: https://me:{PASSWORD}@host/\n",
        f"origins: [{{id: b, kind: s3, bucket: m, endpoint: 'https://me:{PASSWORD}@host/'}}]\n",
    ],
)
def test_no_error_shows_a_secret_not_even_in_its_traceback(tmp_path: Path, text: str) -> None:
    path = tmp_path / "musefs.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


def test_a_configuration_takes_a_ready_made_secret() -> None:
    secret = Secret("env", "A")
    origin = {"id": "a", "kind": "sftp", "host": "h", "path": "/", "password": secret}
    assert password_of(Config.model_validate({"origins": [origin]}), {"A": PASSWORD}) == PASSWORD


def test_secrets_are_equal_when_they_are_kept_in_the_same_place() -> None:
    assert Secret("env", "A") == Secret("env", "A")
    assert Secret("env", "A") != Secret("file", "A")
