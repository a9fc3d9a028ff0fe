"""How each fault is made, at a proxy, at a server or in a folder, and how it ends."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.faults.bench import Bench, spoiled, write_in_place
from tests.faults.proxy import Fault

STORM = 1_000_000
"""So many requests fail: all of them."""
RESTART_S = 1.0

Making = Callable[[Bench, str], AbstractContextManager[None]]


def making(name: str) -> Making:
    """The fault of that name for a bench and a kind of origin; it lasts as long as its context."""
    by_proxy = {fault.value: fault for fault in Fault}
    if name not in by_proxy:
        return _OTHERS[name]

    @contextmanager
    def spoil(bench: Bench, kind: str) -> Iterator[None]:
        bench.proxies[kind].begin(by_proxy[name])
        try:
            yield
        finally:
            bench.proxies[kind].end()

    return spoil


@contextmanager
def _wrong_bytes(bench: Bench, kind: str) -> Iterator[None]:
    """At S3 another object, as bytes cannot change there without the ETag."""
    try:
        for path in bench.files("local" if kind == "s3" else kind):
            right = bench.tracks[path.name]
            if kind == "s3":
                bench.put(path.name, right[:70_000] + spoiled(right[70_000:])[::-1])
            else:
                write_in_place(path, spoiled(right))
        yield
    finally:
        for path in bench.files("local" if kind == "s3" else kind):
            if kind == "s3":
                bench.put(path.name, bench.tracks[path.name])
            else:
                write_in_place(path, bench.tracks[path.name])


@contextmanager
def _truncated(bench: Bench, kind: str) -> Iterator[None]:
    try:
        for path in bench.files(kind):
            write_in_place(path, bench.tracks[path.name][:300_000])
        yield
    finally:
        for path in bench.files(kind):
            write_in_place(path, bench.tracks[path.name])


@contextmanager
def _auth_lost(bench: Bench, kind: str) -> Iterator[None]:
    if kind == "s3":
        with _refused(bench, "deny"):
            yield
        return
    sshd = bench.origins.sshd
    keys = sshd.folder / "authorized_keys"
    shutil.copy(keys, sshd.folder / "authorized_keys.kept")
    keys.write_text("")
    sshd.kill_connections()
    try:
        yield
    finally:
        shutil.move(sshd.folder / "authorized_keys.kept", keys)


@contextmanager
def _refused(bench: Bench, how: str) -> Iterator[None]:
    bench.origins.s3.fail(how, STORM)
    try:
        yield
    finally:
        bench.origins.s3.reset()


@contextmanager
def _restart(bench: Bench, kind: str) -> Iterator[None]:
    """A server ends and starts again; a folder's disk is taken away and mounted again."""
    if kind == "s3":
        bench.origins.s3.restart(RESTART_S)
        yield
    elif kind == "sftp":
        bench.origins.sshd.stop()
        try:
            yield
        finally:
            bench.origins.sshd.start()
    else:
        local = bench.origins.local
        away = local.rename(local.with_name("unmounted"))
        try:
            yield
        finally:
            away.rename(local)


_OTHERS: dict[str, Making] = {
    "wrong bytes": _wrong_bytes,
    "truncated": _truncated,
    "auth lost": _auth_lost,
    "restart": _restart,
    "503 storm": lambda bench, _: _refused(bench, "slow"),
}
