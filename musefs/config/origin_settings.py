"""What a configuration says of one origin, and the plain values that open it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from musefs.config.paths import AbsolutePath
from musefs.config.secret import Secret, SecretSetting
from musefs.config.units import Bandwidth, Interval, PositiveDuration
from origins.specs import S3_LIMITS, SFTP_LIMITS, Limits, LocalSpec, OriginSpec, S3Spec, SftpSpec

_DEFAULTS = Limits()


class Settings(BaseModel):
    """A part of the configuration: immutable, no unknown keys, no values in error texts."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _switch(value: object) -> object:
    """YAML 1.1 reads a bare `on` or `off` as a boolean."""
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value


def _origin_id(value: str) -> str:
    if not value or not all(c.isascii() and (c.isalnum() or c in "_-") for c in value):
        raise ValueError("should consist of the characters A-Z a-z 0-9 _ -")
    return value


def _host(value: str) -> str:
    if value.startswith("-") or not value.isprintable() or any(c in " /@" for c in value):
        raise ValueError("should be a host name or an address, without user and path")
    return value


def _endpoint(value: str) -> str:
    parts = urlsplit(value)
    if parts.username is not None or parts.password is not None:
        raise ValueError("holds a user or password; use access_key and secret_key")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise ValueError('should be a URL such as "https://s3.example.com"')
    return value.rstrip("/")


Text = Annotated[str, Field(min_length=1)]


class OriginSettings(Settings):
    """What every kind of origin has."""

    id: Annotated[str, AfterValidator(_origin_id)]
    priority: int = Field(default=100, ge=0, le=1_000_000)
    cache: Annotated[Literal["auto", "on", "off"], BeforeValidator(_switch)] = "auto"
    timeout_s: PositiveDuration = Field(default=_DEFAULTS.timeout_s, alias="timeout")
    connect_timeout_s: PositiveDuration = Field(
        default=_DEFAULTS.connect_timeout_s, alias="connect_timeout"
    )
    connections_max: int = Field(
        default=_DEFAULTS.connections_max, alias="connections", ge=1, le=256
    )
    requests_max: int = Field(default=_DEFAULTS.requests_max, alias="requests", ge=1, le=1024)
    poll_s: Interval = Field(default=_DEFAULTS.poll_s, alias="poll")
    bandwidth_bytes_per_s: Bandwidth | None = Field(default=None, alias="bandwidth")

    @property
    def limits(self) -> Limits:
        """The bounds on the use of this origin."""
        return Limits(
            requests_max=self.requests_max,
            timeout_s=self.timeout_s,
            connect_timeout_s=self.connect_timeout_s,
            bandwidth_bytes_per_s=self.bandwidth_bytes_per_s,
            poll_s=self.poll_s,
            connections_max=self.connections_max,
        )

    def _reveal(
        self, key: str, secret: Secret | None, environment: Mapping[str, str] | None
    ) -> str | None:
        if secret is None:
            return None
        return secret.reveal(
            f"origins.{self.id}.{key}", os.environ if environment is None else environment
        )


class LocalOrigin(OriginSettings):
    """A folder of this machine."""

    kind: Literal["local"]
    path: AbsolutePath
    watch: Annotated[Literal["auto", "inotify", "poll", "off"], BeforeValidator(_switch)] = "auto"

    @property
    def cached(self) -> bool:
        """Whether its bytes go into the chunk store: only when asked for, the disk is here."""
        return self.cache == "on"

    def spec(self, environment: Mapping[str, str] | None = None) -> OriginSpec:
        """What opens it."""
        del environment  # it has no secrets
        return LocalSpec(id=self.id, path=self.path, watch=self.watch, limits=self.limits)


class RemoteOrigin(OriginSettings):
    """An origin behind a network."""

    @property
    def cached(self) -> bool:
        """Whether its bytes go into the chunk store: unless it is switched off."""
        return self.cache != "off"


class SftpOrigin(RemoteOrigin):
    """A folder on an SSH server."""

    kind: Literal["sftp"]
    host: Annotated[Text, AfterValidator(_host)]
    path: Text
    port: int = Field(default=22, ge=1, le=65535)
    user: Text | None = None
    key: AbsolutePath | None = None
    password: SecretSetting | None = None
    known_hosts: AbsolutePath = Field(
        default="~/.ssh/known_hosts",  # validated into a path
        validate_default=True,
    )
    requests_max: int = Field(default=SFTP_LIMITS.requests_max, alias="requests", ge=1, le=1024)

    def spec(self, environment: Mapping[str, str] | None = None) -> OriginSpec:
        """What opens it. Blocks while the secret is fetched; raises ConfigError."""
        return SftpSpec(
            id=self.id,
            host=self.host,
            path=self.path,
            known_hosts=self.known_hosts,
            port=self.port,
            user=self.user,
            key=self.key,
            password=self._reveal("password", self.password, environment),
            limits=self.limits,
        )


class S3Origin(RemoteOrigin):
    """Keys below a prefix of a bucket."""

    kind: Literal["s3"]
    bucket: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")]
    prefix: str = ""
    endpoint: Annotated[str, AfterValidator(_endpoint)] | None = None
    region: Text | None = None
    access_key: SecretSetting | None = None
    secret_key: SecretSetting | None = None
    requests_max: int = Field(default=S3_LIMITS.requests_max, alias="requests", ge=1, le=1024)

    @model_validator(mode="after")
    def _both_keys_or_none(self) -> Self:
        if (self.access_key is None) != (self.secret_key is None):
            raise ValueError("access_key and secret_key belong together; give both or none")
        return self

    def spec(self, environment: Mapping[str, str] | None = None) -> OriginSpec:
        """What opens it. Blocks while the secrets are fetched; raises ConfigError."""
        return S3Spec(
            id=self.id,
            bucket=self.bucket,
            prefix=self.prefix,
            endpoint=self.endpoint,
            region=self.region,
            access_key=self._reveal("access_key", self.access_key, environment),
            secret_key=self._reveal("secret_key", self.secret_key, environment),
            limits=self.limits,
        )


AnyOrigin = Annotated[LocalOrigin | SftpOrigin | S3Origin, Field(discriminator="kind")]
KINDS: Mapping[str, type[OriginSettings]] = {
    "local": LocalOrigin,
    "sftp": SftpOrigin,
    "s3": S3Origin,
}
