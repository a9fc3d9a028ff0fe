"""Arguments and options: those that several commands have, and commands that have many.

A command with many options takes them as one value: a frozen dataclass whose fields are annotated
as typer wants parameters to be.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

Options = TypeVar("Options")
Outcome = TypeVar("Outcome")

ConfigFile = Annotated[Path, typer.Argument(metavar="CONFIG", help="The musefs.yaml.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Full = Annotated[bool, typer.Option("--full", help="Inspect files that have not changed, too.")]


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """Which running musefs is meant: at most one of the three. And how to answer."""

    socket: Annotated[Path | None, typer.Option("--socket", help="Its control socket.")] = None
    config: Annotated[Path | None, typer.Option("--config", help="Its musefs.yaml.")] = None
    mountpoint: Annotated[
        Path | None, typer.Option("--mountpoint", help="Where it is mounted.")
    ] = None
    as_json: AsJson = False


@dataclass(frozen=True, slots=True)
class TargetOptions(ServiceOptions):
    """The same for commands that need no other argument."""

    target: Annotated[
        str | None,
        typer.Argument(metavar="CONFIG|MOUNTPOINT", help="Which musefs; default: the only one."),
    ] = None


def takes(
    options: Callable[..., Options],
) -> Callable[[Callable[[Options], Outcome]], Callable[..., Outcome]]:
    """A command whose parameters are the fields of a dataclass, which the function is given."""
    hints = get_type_hints(options, include_extras=True)
    signature = inspect.signature(options)
    parameters = [
        parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in signature.parameters.items()
    ]

    def made(command: Callable[[Options], Outcome]) -> Callable[..., Outcome]:
        def run(**given: Any) -> Outcome:
            return command(options(**given))

        run.__name__, run.__doc__ = command.__name__, command.__doc__
        run.__annotations__ = hints
        # What typer reads; the type of functions does not know the attribute.
        run.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=parameters, return_annotation=inspect.Signature.empty
        )
        return run

    return made
