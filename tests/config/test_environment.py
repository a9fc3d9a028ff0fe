"""The environment wins over the file, and the command line over both."""

from __future__ import annotations

from pathlib import Path

import pytest

from musefs.config import SftpOrigin, load
from musefs.errors import ConfigError
from tests.config.conftest import MINIMAL, REMOTE, Write, refusal


def test_the_environment_wins_over_the_file(write: Write, tmp_path: Path) -> None:
    config = load(
        write(REMOTE + "cache: {disk: 1 GiB}\n"),
        {
            "MUSEFS_CACHE__DISK": "50GiB",
            "MUSEFS_STATE": "elsewhere",
            "MUSEFS_ORIGINS__MY_BOX__PORT": "2222",
            "MUSEFS_TREE__TEMPLATE": "[$year]$title",
            "MUSEFS_TREE__SIDECARS": "cover.*, *.cue",
            "MUSEFS_TREE__VIEWS": '{"by year": "$year/$title"}',
            "MUSEFS_FEDERATION__RETRIES": "1 s,2 s",
            "MUSEFS_MOUNT__ALLOW_OTHER": "true",
            "MUSEFS_MOUNT__UID": "",
            "MUSEFS_CONTROL__METRICS": "null",
            "MUSEFS_TEST_ANYTHING__ELSE": "1",
            "MUSEFS_PORT": "tcp://10.0.0.1:80",
            "PATH": "/bin",
        },
    )
    assert config.cache.disk_bytes_max == 50 << 30
    assert config.state == tmp_path / "elsewhere"
    box = config.origins[1]
    assert isinstance(box, SftpOrigin)
    assert (box.port, box.host) == (2222, "box.example.com")
    assert config.tree.template == "[$year]$title"
    assert config.tree.sidecars == ("cover.*", "*.cue")
    assert config.tree.views == {"by year": "$year/$title"}
    assert config.federation.retries_s == (1.0, 2.0)
    assert config.mount.allow_other
    assert config.mount.uid is None
    assert config.control.metrics is None


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("MUSEFS_CACHE__DISC", "did you mean MUSEFS_CACHE__DISK?"),
        ("MUSEFS_CACHE_DISK", "did you mean MUSEFS_CACHE__DISK?"),
        ("MUSEFS_ZZZ__ZZZ", "allowed: MUSEFS_STATE and variables that start with MUSEFS_ORIGINS__"),
        ("MUSEFS_ORIGINS__NAS__PAHT", "did you mean MUSEFS_ORIGINS__NAS__PATH?"),
        ("MUSEFS_ORIGINS__NO__PRIORITY", "no setting has this name"),
    ],
)
def test_a_variable_that_names_no_setting_is_refused(write: Write, name: str, told: str) -> None:
    text = refusal(write(MINIMAL), {name: "1"})
    assert text.startswith(f"{name}: no setting has this name; ")
    assert told in text


def test_a_bad_value_in_the_environment_names_the_variable(write: Write) -> None:
    told = refusal(write(MINIMAL + "cache:\n"), {"MUSEFS_CACHE__DISK": "5 gigs"})
    assert told.startswith('MUSEFS_CACHE__DISK: cache.disk: unknown unit "gigs"; allowed')
    told = refusal(write(MINIMAL), {"MUSEFS_ORIGINS__NAS__PRIORITY": "first"})
    assert told.startswith("MUSEFS_ORIGINS__NAS__PRIORITY: origins.nas.priority: should be a whole")


@pytest.mark.parametrize("text", ["cache: 3\n" + MINIMAL, "origins: 3\n", "origins: [3]\n"])
def test_the_environment_does_not_hide_a_misshapen_file(write: Write, text: str) -> None:
    told = refusal(write(text), {"MUSEFS_CACHE__DISK": "1 GiB"})
    assert told.startswith("1: ")


def test_the_command_line_wins_over_the_environment(write: Write) -> None:
    config = load(
        write(MINIMAL),
        {"MUSEFS_MOUNT__MODE": "synthesis", "MUSEFS_LOG__LEVEL": "error"},
        {"mount": {"mode": "structure-only"}, "log": {"level": None}, "state": Path("/state")},
    )
    assert config.mount.mode == "structure-only"
    assert config.log.level == "error"
    assert config.state == Path("/state")
    with pytest.raises(ConfigError, match=r"^command line: tree.names: should be"):
        load(write(MINIMAL), {}, {"tree": {"names": "dos"}})
