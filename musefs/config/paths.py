"""Paths as they are written in a configuration: `~` and paths relative to the file's folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, ValidationInfo


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a configuration stands; the context that validation is given."""

    folder: Path
    home: Path | None = None

    def absolute(self, text: str) -> Path:
        """The path that `text` names. Raises ValueError when a home folder cannot be found."""
        if not text or "\0" in text:
            raise ValueError("should be a path; it is empty or holds a NUL character")
        path = Path(text)
        if self.home is not None and path.parts[:1] == ("~",):
            path = self.home.joinpath(*path.parts[1:])
        try:
            path = path.expanduser()
        except RuntimeError as error:
            raise ValueError("the home folder of that user is not known; write it out") from error
        return (self.folder / path).absolute()


def surroundings(info: ValidationInfo) -> Surroundings:
    """The surroundings of a validation; the working directory when none were given."""
    return info.context if isinstance(info.context, Surroundings) else Surroundings(Path())


def _absolute(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, str | Path):
        raise ValueError("should be a path; put it in quotes")  # noqa: TRY004 - pydantic wants it
    return surroundings(info).absolute(str(value))


AbsolutePath = Annotated[Path, BeforeValidator(_absolute)]
