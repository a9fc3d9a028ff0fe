"""The command `musefs`, also as `python -m musefs`."""

from __future__ import annotations

from musefs.cli.program import main

if __name__ == "__main__":
    main()
