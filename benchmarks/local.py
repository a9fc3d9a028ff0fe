"""`make bench`: musefs on one machine beside its limit, the plain folder, rclone and sshfs.

One table of ratios, all of one run. Root is needed, for mounts. A missed goal is marked in the
table and is no failure.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.local_libraries import LONG_TEMPLATE, Sizes, listed, write_long, write_many
from benchmarks.local_subjects import Configured, Subject, has_sshfs, musefs, null, rclone, sshfs
from benchmarks.mounts import RCLONE
from benchmarks.ratios import Figure, print_table, write_json
from benchmarks.track_rows import TrackRows, TrackSubjects
from benchmarks.tree_rows import Place, TreeRows
from tests.lab.sshd import Sshd

BUILD = Path(__file__).parents[1] / "build"
GROUPS = ("sequence", "streams", "random", "open", "tree", "flat", "refresh")

Group = Callable[[], Iterator[tuple[str, Mapping[str, Figure]]]]


def main() -> None:
    """Measure, print the table, write the JSON."""
    options = _options()
    wanted = options.only or GROUPS
    sizes = Sizes.scaled(options.scale)
    results: dict[str, Mapping[str, Figure]] = {}
    began_s = time.monotonic()
    # However it ends, everything is unmounted.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as stack:
        # Below the SFTP server's own folder, so that it serves the files that everybody reads.
        sshd = stack.enter_context(Sshd())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="musefs-bench-")))
        served = sshd if has_sshfs() else None
        if served is None:
            print("sshfs is left out: not installed (apt-get install sshfs)")
        for name, group in _groups(
            Place(folder, sshd.files, "/music", BUILD, served), sizes, wanted
        ):
            print(f"{time.monotonic() - began_s:5.0f} s  {name} …", flush=True)
            results.update(group())
    print_table(results)
    write_json(options.json, _conditions(options.scale), results)
    print(f"written: {options.json}, after {time.monotonic() - began_s:.0f} s")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.local")
    parser.add_argument("--json", type=Path, default=BUILD / "bench.json")
    parser.add_argument("--scale", type=float, default=1.0, help="of all sizes, at most 1")
    parser.add_argument(
        "--only", action="append", choices=GROUPS, help="these rows; several times, perhaps"
    )
    return parser.parse_args()


def _groups(place: Place, sizes: Sizes, wanted: Sequence[str]) -> Iterator[tuple[str, Group]]:
    """The rows that are wanted, with everything mounted that each needs."""
    if set(wanted) & {"sequence", "streams", "random", "open"}:
        with _tracks(_below(place, "long"), sizes) as rows:
            measured = {
                "sequence": rows.sequence,
                "streams": rows.streams,
                "random": rows.scattered,
                "open": rows.openings,
            }
            yield from ((name, group) for name, group in measured.items() if name in wanted)
    if set(wanted) & {"tree", "flat", "refresh"}:
        many = _below(place, "many")
        write_many(many.originals, sizes)
        tree = TreeRows(many)
        yield "scan", tree.scan
        measured = {"tree": tree.walks, "refresh": tree.changes, "flat": tree.one_folder}
        yield from ((name, group) for name, group in measured.items() if name in wanted)


def _below(place: Place, name: str) -> Place:
    folder, library = place.folder / name, place.originals / name
    folder.mkdir()
    library.mkdir()
    return Place(folder, library, f"{place.far}/{name}", place.build, place.sshd)


@contextmanager
def _tracks(place: Place, sizes: Sizes) -> Iterator[TrackRows]:
    """Everything that shows the long files, mounted at once."""
    write_long(place.originals, sizes)
    configured = {
        "pool": Configured(place.originals, LONG_TEMPLATE, cached=True, memory="2 GiB"),
        "chunks": Configured(place.originals, LONG_TEMPLATE, cached=True, memory="16 MiB"),
        "direct": Configured(place.originals, LONG_TEMPLATE),
    }
    with ExitStack() as stack:
        ours = {
            name: stack.enter_context(musefs(one.write(place.folder / name), name))
            for name, one in configured.items()
        }
        limit = stack.enter_context(null(place.folder / "null", list(listed(place.originals))))
        foreign = [
            stack.enter_context(rclone(place.folder / "rclone", place.originals, place.build))
        ]
        if place.sshd is not None:
            mount = sshfs(place.folder / "sshfs", place.sshd, place.far)
            foreign.append(stack.enter_context(mount))
        folder = Subject("folder", place.originals)
        rows = TrackRows(
            TrackSubjects(**ours, null=limit, folder=folder, foreign=tuple(foreign)), sizes
        )
        rows.warm()
        yield rows


def _conditions(scale: float) -> dict[str, object]:
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "rclone": RCLONE,
        "scale": scale,
        "load": os.getloadavg(),
    }


if __name__ == "__main__":
    main()
