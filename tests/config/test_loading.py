"""A musefs.yaml: what it may say, and how its mistakes are told."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musefs.config import Config, LocalOrigin, load
from musefs.config.document import parse
from musefs.errors import ConfigError
from origins.specs import Limits, LocalSpec, S3Spec, SftpSpec
from tests.config.conftest import MINIMAL, REMOTE, Write, refusal


def test_only_origins_have_to_be_given(write: Write) -> None:
    config = load(write(MINIMAL), {"HOME": "/home/me"})
    assert config.state == Path("/home/me/.local/share/musefs")
    assert config.control_socket == config.state / "control.sock"
    assert config.tree.template == "$albumartist/[$year - ]$album/[$disc-]$track $title"
    assert (config.mount.file_mode, config.mount.dir_mode) == (0o444, 0o555)
    assert (config.cache.heads_bytes, config.cache.tails_bytes) == (64 << 10, 72 << 10)
    assert config.federation.retries_s == (0.1, 0.5, 2.0)
    assert config.control.metrics_address == ("127.0.0.1", 9464)


def test_sections_whose_keys_are_commented_out_are_their_defaults(write: Write) -> None:
    assert load(write(MINIMAL + "cache:\n#  disk: 1\nstate:\n"), {}) == load(write(MINIMAL), {})


def test_origins_become_what_opens_them(write: Write, tmp_path: Path) -> None:
    config = load(write(REMOTE), {"HOME": "/home/me"})
    local, sftp, s3 = (origin.spec() for origin in config.origins)
    assert local == LocalSpec(id="nas", path=tmp_path / "music", watch="off")
    assert sftp == SftpSpec(
        id="my-box",
        host="box.example.com",
        path="/music",
        known_hosts=Path("/home/me/.ssh/known_hosts"),
        user="me",
        key=Path("/home/me/.ssh/id_ed25519"),
    )
    assert s3 == S3Spec(
        id="bucket",
        bucket="my-music",
        limits=Limits(requests_max=28, timeout_s=60.0, bandwidth_bytes_per_s=20 << 20),
    )


def test_remote_origins_are_cached_unless_told_otherwise(write: Write) -> None:
    assert [origin.cached for origin in load(write(REMOTE), {}).origins] == [True, True, False]
    assert not load(write(MINIMAL), {}).origins[0].cached


def test_relative_paths_start_at_the_file(write: Write, tmp_path: Path) -> None:
    text = MINIMAL + "state: state\ncontrol: {socket: run/control.sock}\n"
    config = load(write(text), {})
    assert config.state == tmp_path / "state"
    assert config.control_socket == tmp_path / "run/control.sock"


def test_the_socket_of_a_deep_state_folder_gets_a_short_path(tmp_path: Path) -> None:
    state = tmp_path / ("deep" * 30)
    file = tmp_path / "musefs.yaml"
    file.write_text(f"state: {state}\norigins: [{{id: a, kind: local, path: /srv/music}}]\n")
    first = load(file, {}).control_socket
    assert len(os.fsencode(first)) <= 107
    assert first == load(file, {}).control_socket
    file.write_text(file.read_text().replace("deep/", "").replace("deepdeep", "deepdeer", 1))
    assert load(file, {}).control_socket != first


def test_a_configuration_cannot_be_changed(write: Write) -> None:
    config = load(write(MINIMAL), {})
    with pytest.raises(ValueError, match="frozen"):
        config.mount.allow_other = True


@pytest.mark.parametrize(
    ("addition", "told"),
    [
        (
            "tree:\n  tempalte: x\n",
            '3: tree.tempalte: unknown key; did you mean "template"? allowed: template, fallbacks,',
        ),
        ("cahce: {}\n", '2: cahce: unknown key; did you mean "cache"? allowed: state, origins,'),
        (
            "cache: {zzz: 1}\n",
            "2: cache.zzz: unknown key; allowed: memory, disk, pins, heads, tails,",
        ),
        ("cache: {scrub: 4}\n", "2: cache.scrub: should be a bandwidth such as"),
        ("cache: {scrub: 1 KiB/s}\n", "2: cache.scrub: should be at least 16 KiB/s, or 0 for none"),
        ("cache: {memory_bytes_max: 9}\n", "2: cache.memory_bytes_max: unknown key; "),
        ("1: x\n", "2: 1: unknown key; allowed: state"),
        (
            "cache:\n  memory: 1 MiB\n  disk: 5 gigs\n",
            '4: cache.disk: unknown unit "gigs"; allowed units: B, KB, KiB, MB,',
        ),
        ("cache: {memory: 1 KiB}\n", "2: cache.memory: should be at least 1 MiB"),
        ("cache: 3\n", "2: cache: should be a mapping"),
        ("federation: {check_every: 30}\n", "2: federation.check_every: should be a duration"),
        ("federation: {check_every: 5 ms}\n", "2: federation.check_every: should be at least 1 s"),
        ("federation: {patience: 0 s}\n", "2: federation.patience: should be at least 1 ms"),
        (
            "federation:\n  retries:\n    - 1 s\n    - 2 parsecs\n",
            '5: federation.retries.1: unknown unit "parsecs"',
        ),
        ("federation: {retries: {}}\n", "2: federation.retries: should be a list"),
        ("tree: {template: ''}\n", "2: tree.template: should not be empty"),
        ("tree: {default: no}\n", "2: tree.default: should be text; put it in quotes"),
        ("tree: {names: dos}\n", "2: tree.names: should be 'unix' or 'windows'"),
        ("tree: {sidecars: [a/b]}\n", "2: tree.sidecars.0: should be a pattern for file names"),
        ("tree: {fallbacks: [a]}\n", "2: tree.fallbacks: should be a mapping"),
        ("tree: {views: {a/b: x}}\n", "2: tree.views.a/b: a view's name should be printable"),
        ("tree: {views: 'x'}\n", "2: tree.views: should be a mapping; as text, JSON"),
        ("mount: {allow_other: maybe}\n", "2: mount.allow_other: should be true or false"),
        ("mount: {uid: me}\n", "2: mount.uid: should be a whole number"),
        ("mount: {uid: -1}\n", "2: mount.uid: should be greater than or equal to 0"),
        ("mount: {file_mode: 0444}\n", "2: mount.file_mode: should be an octal mode in quotes"),
        ("mount: {file_mode: '0999'}\n", "2: mount.file_mode: should be an octal mode in quotes"),
        ("mount: {dir_mode: '4755'}\n", "2: mount.dir_mode: should be an octal mode in quotes"),
        ("mount: {mode: fast}\n", "2: mount.mode: should be 'synthesis' or 'structure-only'"),
        ("control: {metrics: 9464}\n", "2: control.metrics: should be text"),
        ("control: {metrics: 'host'}\n", "2: control.metrics: should be an address such as"),
        ("control: {metrics: 'host:99999'}\n", "2: control.metrics: should be an address"),
        ("state: ''\n", "2: state: should be a path; it is empty"),
        ("state: 3\n", "2: state: should be a path; put it in quotes"),
        ("state: ~nobody-has-this-name/x\n", "2: state: the home folder of that user is not known"),
        ("log: {level: loud}\n", "2: log.level: should be 'debug', 'info', 'warning' or 'error'"),
    ],
)
def test_a_mistake_names_the_line_the_key_and_what_is_allowed(
    write: Write, addition: str, told: str
) -> None:
    assert refusal(write(MINIMAL + addition)).startswith(told)


@pytest.mark.parametrize(
    ("origin", "told"),
    [
        ("{id: a, kind: local}", "2: origins.a.path: is missing; it has to be given"),
        ("{kind: local, path: /x}", "2: origins.0.id: is missing"),
        ("{id: a b, kind: local, path: /x}", "2: origins.a b.id: should consist of the characters"),
        ("{id: '', kind: local, path: /x}", "2: origins.0.id: should consist of the characters"),
        ("{id: a, path: /x}", "2: origins.a.kind: needs a kind; allowed: local, sftp, s3"),
        ("{id: a, kind: ftp}", "2: origins.a.kind: has an unknown kind; allowed: local, sftp, s3"),
        ("/srv/music", "2: origins.0: should be a mapping"),
        (
            "{id: a, kind: sftp, host: h, path: /x, prot: 22}",
            '2: origins.a.prot: unknown key; did you mean "port"? allowed: id, priority,',
        ),
        ("{id: a, kind: sftp, host: h, path: /x, watch: poll}", "2: origins.a.watch: unknown key"),
        ("{id: a, kind: sftp, host: h, path: /x, port: 0}", "2: origins.a.port: should be greater"),
        ("{id: a, kind: sftp, host: me@h, path: /x}", "2: origins.a.host: should be a host name"),
        ("{id: a, kind: sftp, host: -oX, path: /x}", "2: origins.a.host: should be a host name"),
        ("{id: a, kind: local, path: /x, watch: on}", "2: origins.a.watch: should be 'auto',"),
        ("{id: a, kind: local, path: /x, cache: maybe}", "2: origins.a.cache: should be 'auto',"),
        ("{id: a, kind: local, path: /x, bandwidth: 1 B/s}", "2: origins.a.bandwidth: should be "),
        ("{id: a, kind: s3, bucket: a/b}", "2: origins.a.bucket: "),
        ("{id: a, kind: s3, bucket: b, endpoint: s3.x.org}", "2: origins.a.endpoint: should be a "),
        (
            "{id: a, kind: s3, bucket: b, secret_key: {env: K}}",
            "2: origins.a: access_key and secret_key belong together",
        ),
    ],
)
def test_a_mistake_in_an_origin_names_the_origin(write: Write, origin: str, told: str) -> None:
    assert refusal(write(f"origins:\n  - {origin}\n")).startswith(told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "should be a mapping that starts with"),
        ("- a\n", "should be a mapping that starts with"),
        ("state: /x\n", "1: origins: is missing; it has to be given"),
        ("origins: []\n", "1: origins: is empty; name at least one origin"),
        ("origins: x\n", "1: origins: should be a list"),
        ("a: 1\nb: [\n", "3: not valid YAML: "),
        ("a: 1\n\tb: 2\n", "2: not valid YAML: "),
        ("a: &x [*x]\n", "1: contains itself by an alias"),
        ("a: *x\n", "1: not valid YAML: a value starts with *, & or !; put it in quotes"),
        ("a: !!python/object:os.system x\n", "1: not valid YAML: a value starts with"),
        ("a: 2020-99-99\n", "not valid YAML: "),
        ("? [a]\n: 1\n", "1: not valid YAML: "),
        ("a: \1\n", "not valid YAML: "),
        ("a: !!bool maybe\n", "not valid YAML: "),
        ("a: 1\n---\nb: 2\n", "2: not valid YAML: "),
        ("[" * 5000, "not valid YAML: "),
        ("cache:\n  disk: 1\n  heads: 2\n  disk: 3\n", "4: disk: is given twice; keep one of them"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(write: Write, text: str, told: str) -> None:
    assert refusal(write(text)).lstrip().startswith(told)


def test_two_origins_with_one_id_are_refused_at_the_second(write: Write) -> None:
    text = "origins:\n- {id: a, kind: local, path: /x}\n- {id: a, kind: s3, bucket: b}\n"
    assert refusal(write(text)) == (
        "3: origins.a.id: an earlier origin has this id too; ids should be distinct"
    )


def test_of_several_mistakes_the_first_is_told_and_the_others_counted(write: Write) -> None:
    told = refusal(write("log: {level: x}\ncache: {disk: x}\n" + MINIMAL + "zzz: 1\n"))
    assert told.startswith("1: log.level: should be")
    assert told.endswith("(and 2 more)")


def test_a_merged_key_is_not_a_repeated_one(write: Write) -> None:
    text = "origins:\n- &first {id: a, kind: local, path: /x, priority: 7}\n- {<<: *first, id: b}\n"
    assert [origin.priority for origin in load(write(text), {}).origins] == [7, 7]


def test_a_missing_or_unreadable_file_is_told(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "none.yaml")
    assert "cannot be read" in refusal(tmp_path)
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\xfd")
    assert "not UTF-8" in refusal(binary)
    binary.write_bytes(b"#" * (1 << 20) + b"\n")
    assert "larger than 1 MiB" in refusal(binary)


@pytest.mark.parametrize(
    ("metrics", "address"),
    [("off", None), ("null", None), ("'[::1]:80'", ("::1", 80)), ("'host:0'", ("host", 0))],
)
def test_the_metrics_address_is_split(
    write: Write, metrics: str, address: tuple[str, int] | None
) -> None:
    config = load(write(f"{MINIMAL}control: {{metrics: {metrics}}}\n"), {})
    assert config.control.metrics_address == address


def test_a_configuration_made_without_a_file_starts_at_the_working_directory() -> None:
    config = Config.model_validate({"origins": [{"id": "a", "kind": "local", "path": "x"}]})
    origin = config.origins[0]
    assert isinstance(origin, LocalOrigin)
    assert origin.path == Path.cwd() / "x"


@given(st.text(max_size=60) | st.text("[]{}:,&*!?-|>%@'\"# \nab1.", max_size=60))
def test_any_text_is_read_or_refused_with_one_line(text: str) -> None:
    refused = ""
    try:
        document = parse(text, "x.yaml")
    except ConfigError as error:
        refused = str(error)
    if refused:
        assert re.match(r"x\.yaml(:\d+)?: .+", refused)
        assert "\n" not in refused
    else:
        assert isinstance(document.values, dict)


@pytest.mark.parametrize(
    ("text", "bytes_per_s"), [("0", 0), ("'0'", 0), ("0 B/s", 0), ("1 MiB/s", 1 << 20)]
)
def test_a_scrub_has_a_bandwidth_or_none(write: Write, text: str, bytes_per_s: int) -> None:
    config = load(write(MINIMAL + f"cache: {{scrub: {text}}}\n"), {})
    assert config.cache.scrub_bytes_per_s == bytes_per_s
