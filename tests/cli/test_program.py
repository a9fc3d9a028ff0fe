"""The program loads what the called command needs, and knows every command."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer.main

from musefs.cli.program import COMMANDS, GROUPS, program_for

LOADED = """
import sys
from musefs.cli.program import program_for
program_for(sys.argv[1:])
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""


def loaded(*arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_a_mount_does_not_load_what_asks_a_running_service() -> None:
    assert "grpc" not in loaded("mount", "library.yaml", "mnt")
    assert "grpc" in loaded("status")


def test_without_a_command_there_are_all() -> None:
    for arguments in ((), ("-h",), ("unknown",), ("--version",)):
        group = typer.main.get_group(program_for(arguments))
        assert set(group.commands) == {*COMMANDS, *GROUPS}


@pytest.mark.parametrize("name", [*COMMANDS, *GROUPS])
def test_the_command_that_is_called_is_there(name: str) -> None:
    group = typer.main.get_group(program_for([name, "-h"]))
    assert list(group.commands) == [name]
    assert group.commands[name].help or name in GROUPS
