"""The tree keeps its shape: sizes, names, docstrings, doors to libraries, and nothing private."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from musefs.config import load

ROOT = Path(__file__).parents[1]
GENERATED = "musefs/control/v1/"
PACKAGES = ("origins", "musefs", "tests", "benchmarks")

MODULE_LINES_MAX = 300
FUNCTION_LINES_MAX = 40
PARAMETERS_MAX = 5
PUBLIC_METHODS_MAX = 8
DOCSTRING_LINES_MAX = 15

MANY_METHODS = {
    "musefs/mount/operations.py": "one method for each kind of request that the kernel has",
}
BANNED_NAMES = {"manager", "helper", "helpers", "util", "utils", "impl", "data", "misc", "common"}
DOORS = {
    "pyfuse3": r"musefs/mount/\w+\.py",
    "aiosqlite": r"musefs/catalog/database\.py",
    "sqlite3": r"musefs/catalog/database\.py",
    "asyncssh": r"origins/(ssh|sftp\w*)\.py",
    "aiobotocore": r"origins/s3\w*\.py",
    "botocore": r"origins/s3\w*\.py",
    "watchfiles": r"origins/watching\.py",
    "mutagen": r"musefs/layout/(synthesis/)?\w+\.py",
    "PIL": r"musefs/layout/images\.py",
    "grpc": r"musefs/control/\w+\.py",
    "grpc_health": r"musefs/control/\w+\.py",
    "grpc_reflection": r"musefs/control/\w+\.py",
    "keyring": r"musefs/config/\w+\.py",
}
SOMEBODYS_MACHINE = re.compile("|".join(("/work" + "/", "/root" + "/", "/Users" + "/")))
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".sh", ".sql", ".proto", ".txt", ".service", ""}


@cache
def modules() -> tuple[Path, ...]:
    """Every module that somebody wrote."""
    found = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return tuple(sorted(path for path in found if GENERATED not in path.as_posix()))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def is_product(path: Path) -> bool:
    return name_of(path).startswith(("musefs/", "origins/"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def parameters_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return sum(argument.arg not in ("self", "cls") for argument in named)


def public_methods(found: ast.ClassDef) -> list[str]:
    return [
        node.name
        for node in found.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and not node.name.startswith("_")
        and not any(isinstance(d, ast.Name) and d.id == "property" for d in node.decorator_list)
    ]


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def texts() -> Iterator[Path]:
    """Every text file of the project."""
    folders = [*PACKAGES, "config", ".ci"]
    found = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    for path in (*found, *ROOT.iterdir()):
        if path.is_file() and path.suffix in TEXT and not path.name.startswith(".coverage"):
            yield path


def test_modules_are_short() -> None:
    lines = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in modules()}
    assert {name: count for name, count in lines.items() if count > MODULE_LINES_MAX} == {}


def test_functions_are_short_and_take_few_parameters() -> None:
    long = [
        f"{name_of(path)}:{function.lineno} {function.name}"
        for path in modules()
        for function in functions(path)
        if lines_of(function) > FUNCTION_LINES_MAX
        # A fixture is a parameter of a test by its name alone.
        or (parameters_of(function) > PARAMETERS_MAX and not function.name.startswith("test_"))
    ]
    assert long == []


def test_classes_have_few_public_methods() -> None:
    wide = {
        f"{name_of(path)} {node.name}": len(public_methods(node))
        for path in modules()
        if is_product(path) and name_of(path) not in MANY_METHODS
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ClassDef) and len(public_methods(node)) > PUBLIC_METHODS_MAX
    }
    assert wide == {}


def test_exceptions_from_the_rules_are_needed() -> None:
    for name in MANY_METHODS:
        counts = [
            len(public_methods(node))
            for node in ast.walk(parsed(ROOT / name))
            if isinstance(node, ast.ClassDef)
        ]
        assert max(counts) > PUBLIC_METHODS_MAX


def test_names_come_from_the_domain() -> None:
    parts = {name_of(path): path.relative_to(ROOT).with_suffix("").parts for path in modules()}
    assert [
        name
        for name, words in parts.items()
        if BANNED_NAMES & set(words) or any(word.startswith("base_") for word in words)
    ] == []
    classes = [
        f"{name_of(path)} {node.name}"
        for path in modules()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ClassDef) and re.search("(Manager|Helper|Utils?|Impl)$", node.name)
    ]
    assert classes == []


def test_every_module_tells_its_story() -> None:
    untold = []
    for path in modules():
        story = ast.get_docstring(parsed(path)) or ""
        if path.read_text("utf-8").strip() and not 1 <= len(story.splitlines()) <= (
            DOCSTRING_LINES_MAX
        ):
            untold.append(name_of(path))
    assert untold == []


def test_what_is_public_is_described() -> None:
    undescribed = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in modules()
        if is_product(path) and name_of(path) not in MANY_METHODS
        for outer in (parsed(path), *ast.walk(parsed(path)))
        if isinstance(outer, ast.Module | ast.ClassDef)
        for node in outer.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and not node.name.startswith("_")
        and not (isinstance(outer, ast.ClassDef) and outer.name.startswith("_"))
        and ast.get_docstring(node) is None
    ]
    assert undescribed == []


@pytest.mark.parametrize(("library", "door"), DOORS.items())
def test_each_library_has_one_door(library: str, door: str) -> None:
    users = [name_of(path) for path in modules() if is_product(path) and library in imported(path)]
    assert [name for name in users if not re.fullmatch(door, name)] == []


def test_every_configuration_that_is_shipped_loads() -> None:
    loaded = 0
    for path in (ROOT / "config").glob("*.yaml"):
        documents = list(yaml.safe_load_all(path.read_text("utf-8")))
        if any(isinstance(document, dict) and "origins" in document for document in documents):
            assert load(path, {"HOME": "/home/me"}).origins
            loaded += 1
    assert loaded >= 2


def test_nothing_tells_of_the_machine_it_was_written_on() -> None:
    found = [
        f"{name_of(path)}: {line.strip()}"
        for path in texts()
        for line in path.read_text("utf-8", "replace").splitlines()
        if SOMEBODYS_MACHINE.search(line)
    ]
    assert found == []


def test_the_texts_of_the_project_are_looked_at() -> None:
    names = {name_of(path) for path in texts()}
    assert {
        "pyproject.toml",
        "Makefile",
        "musefs/catalog/schema.sql",
        "config/musefs.yaml",
    } <= names
    assert len(modules()) > 100
