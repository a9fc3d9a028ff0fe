"""`make bench-wan`: musefs and others over a link of 50 ms, as one table.

Everything is real: OpenSSH, an S3 server, the mounts. Root is needed, for namespaces and mounts. A
missed goal is marked in the table and is no failure.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.delaynet import ADDRESSES, DEVICE
from benchmarks.flac_library import make_library
from benchmarks.goals import print_table, write_json
from benchmarks.namespaces import crossed_bytes, inside, link, namespace
from benchmarks.subjects import Servers, Subject, subjects
from benchmarks.workload import Meter, Result, measurements
from tests.lab.s3server import S3Server
from tests.lab.sshd import Sshd

BUILD = Path(__file__).parents[1] / "build"


def main() -> None:
    """Measure, print the table, write the JSON."""
    options = _options()
    results: dict[str, list[Result]] = {}
    with servers(options.delay_ms, options.rate_mbit) as found:
        for subject in subjects(BUILD):
            if not options.only or any(subject.name.startswith(name) for name in options.only):
                print(f"{subject.name} …", flush=True)
                results[subject.name] = measured(subject, found)
    described = {
        "round_trip_ms": 2 * options.delay_ms,
        "rate_mbit": options.rate_mbit,
        "congestion_control": Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip(),
    }
    print_table(results)
    write_json(options.json, described, results)
    print(f"written: {options.json}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.wan")
    parser.add_argument("--json", type=Path, default=BUILD / "bench-wan.json")
    parser.add_argument("--delay-ms", type=float, default=25.0, help="one way")
    parser.add_argument("--rate-mbit", type=float, default=400.0)
    parser.add_argument("--only", action="append", metavar="NAME", help="several times, perhaps")
    return parser.parse_args()


@contextmanager
def servers(delay_ms: float, rate_mbit: float) -> Iterator[Servers]:
    """The library, served by both servers at the far end of a link."""
    client, server = (f"musefs-bench-{os.getpid()}-{side}" for side in ("client", "server"))
    with ExitStack() as stack:
        stack.enter_context(namespace(client))
        stack.enter_context(namespace(server))
        stack.enter_context(link(client, server, delay_ms, rate_mbit))
        with inside(server):
            sshd = stack.enter_context(Sshd(ADDRESSES[1]))
            s3 = stack.enter_context(S3Server(host=ADDRESSES[1]))
            make_library(sshd.files)
            for path in sorted(sshd.files.rglob("*.flac")):
                s3.put(str(path.relative_to(sshd.files)), path.read_bytes())
        yield Servers(sshd, s3, client)


def measured(subject: Subject, found: Servers) -> list[Result]:
    """All rows of one subject, with folders of its own that are deleted afterwards."""
    meter = Meter(lambda: crossed_bytes(found.client, DEVICE))
    folder = Path(tempfile.mkdtemp(prefix="musefs-bench-"))
    results = []
    try:
        before, start_s = meter.settle(), time.monotonic()
        with subject.mount(found, folder) as mounted:
            if mounted.indexed is not None:
                mounted.indexed()
                seconds = time.monotonic() - start_s
                crossed = meter.settle() - before
                results.append(Result("indexing", seconds, crossed / 1e6))
            results += measurements(mounted, meter)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return results


if __name__ == "__main__":
    main()
