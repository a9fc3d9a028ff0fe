"""A configuration from folders and URLs alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from musefs.config import from_sources, is_config
from musefs.errors import ConfigError
from origins.specs import LocalSpec, S3Spec, SftpSpec

ENVIRONMENT = {"HOME": "/home/me"}


def test_each_source_is_an_origin_in_the_order_given(tmp_path: Path) -> None:
    config = from_sources(
        [
            str(tmp_path),
            "sftp://me@box.example.com:2222/my%20music",
            "s3://My.Bucket/library?endpoint=https://s3.example.com/&region=eu-1",
            "/",
            "s3://plain",
            "sftp://box.example.com/",
        ],
        environment=ENVIRONMENT,
    )
    assert [(origin.id, origin.priority) for origin in config.origins] == [
        ("local", 10),
        ("box-example-com", 20),
        ("my-bucket", 30),
        ("local2", 40),
        ("plain", 50),
        ("box-example-com2", 60),
    ]
    local, sftp, s3, *_, last = (origin.spec(ENVIRONMENT) for origin in config.origins)
    assert local == LocalSpec(id="local", path=tmp_path)
    assert sftp == SftpSpec(
        id="box-example-com",
        host="box.example.com",
        port=2222,
        user="me",
        path="/my music",
        known_hosts=Path("/home/me/.ssh/known_hosts"),
    )
    assert s3 == S3Spec(
        id="my-bucket",
        bucket="My.Bucket",
        prefix="library/",
        endpoint="https://s3.example.com",
        region="eu-1",
    )
    assert isinstance(last, SftpSpec)
    assert (last.user, last.path) == (None, "/")


def test_the_same_sources_find_the_same_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Music").mkdir()
    monkeypatch.chdir(tmp_path)
    absolute = from_sources([f"{tmp_path}/Music"], environment=ENVIRONMENT).state
    assert absolute.parent == Path("/home/me/.local/share/musefs")
    assert absolute.name.startswith("quick-")
    assert len(absolute.name) == len("quick-") + 8
    assert from_sources(["Music"], environment=ENVIRONMENT).state == absolute
    assert from_sources(["~/Music"], environment={"HOME": str(tmp_path)}).state.name == (
        absolute.name
    )
    assert from_sources(["Music", "s3://b"], environment=ENVIRONMENT).state != absolute


def test_the_command_line_and_the_environment_are_heeded(tmp_path: Path) -> None:
    overrides = {"tree": {"template": "$title"}, "state": tmp_path / "state"}
    environment = ENVIRONMENT | {"MUSEFS_CACHE__DISK": "1 GiB", "MUSEFS_TREE__TEMPLATE": "x"}
    config = from_sources([str(tmp_path)], overrides, environment)
    assert config.tree.template == "$title"
    assert config.state == tmp_path / "state"
    assert config.cache.disk_bytes_max == 1 << 30


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("/no/such/folder", "no such folder; name a folder, sftp://"),
        ("/no/such/musefs.yaml", "a configuration file has to be the only source"),
        ("~nobody-has-this-name/x", "the home folder of that user is not known"),
        ("", "should be a path"),
        ("ftp://host/path", 'unknown kind of source "ftp://"; allowed: folders, sftp, s3'),
        ("sftp://host", "needs a path"),
        ("sftp:///path", "is incomplete"),
        ("sftp://host/path?x=1", "needs a path and no query"),
        ("sftp://host/path#x", "has a fragment"),
        ("sftp://host:port/path", "not a valid URL"),
        ("sftp://[::1/path", "not a valid URL"),
        ("s3://", "is incomplete"),
        ("s3://bucket?acl=x", "allowed: s3://bucket/prefix"),
        ("s3://key@bucket/", "keys go into a musefs.yaml"),
        ("s3://bucket?endpoint=host", "origins.bucket.endpoint: should be a URL"),
    ],
)
def test_a_source_that_cannot_be_read_is_refused(source: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        from_sources([source], environment=ENVIRONMENT)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        "sftp://me:hunter2@host/path",
        "s3://key:hunter2@bucket/",
        "s3://bucket?endpoint=https://me:hunter2@host",
        "sftp://me:hunter2/rest@host/path",
    ],
)
def test_a_password_in_a_url_is_refused_and_not_repeated(source: str) -> None:
    with pytest.raises(ConfigError) as caught:
        from_sources([source])
    assert "hunter2" not in str(caught.value)


def test_there_has_to_be_a_source_and_not_too_many() -> None:
    for sources in ([], ["/"] * 65):
        with pytest.raises(ConfigError, match="name 1 to 64 folders or URLs"):
            from_sources(sources)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("musefs.yaml", True),
        ("/etc/x.YML", True),
        ("~/Music", False),
        ("s3://bucket/x.yaml", False),
        ("yaml", False),
    ],
)
def test_a_configuration_file_is_known_by_its_ending(source: str, expected: bool) -> None:
    assert is_config(source) is expected
