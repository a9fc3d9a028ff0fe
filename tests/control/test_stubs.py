"""The generated modules are those of the .proto."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
FOLDER = Path("musefs/control/v1")
GENERATED = ("musefs_pb2.py", "musefs_pb2.pyi", "musefs_pb2_grpc.py")


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("stubs")
    options = [f"--{kind}_out={out}" for kind in ("python", "pyi", "grpc_python")]
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", "-I.", *options, FOLDER / "musefs.proto"],
        cwd=PROJECT,
        check=True,
        timeout=60,
    )
    return out / FOLDER


def without_versions(text: str) -> str:
    """Another release of the generator writes its own number."""
    text = re.sub(r"(?m)^# Protobuf Python Version: .*$|^GRPC_GENERATED_VERSION = .*$", "", text)
    return re.sub(r"ValidateProtobufRuntimeVersion\([^)]*\)", "", text)


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_module_is_current(generated: Path, name: str) -> None:
    checked_in = (PROJECT / FOLDER / name).read_text()
    assert without_versions(checked_in) == without_versions((generated / name).read_text()), (
        "run make proto"
    )
