"""A real S3-compatible server: moto under cheroot in a process of its own, with keep-alive.

Run as `python -m tests.lab.s3server PORT HOST`. Beside S3 it answers
  GET /__fail/KIND/N   for the next N requests: slow (503 SlowDown), cut (half of the body, then
                       the connection breaks), deny (403 SignatureDoesNotMatch), whole (200 with
                       the whole object for a range), hang (no answer for 60 s)
  GET /__stats         {"requests": …, "body_bytes": …, "connections": …} since the last reset
  GET /__reset         counters to zero, no faults
  GET /__restart/S     every connection ends, after S seconds new ones are accepted again
Every key and secret is accepted.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import botocore.session
from botocore.config import Config

from origins.specs import Limits, S3Spec
from tests.lab.processes import LOOPBACK, free_port, stop, wait_until_it_accepts

ACCESS_KEY = "LABACCESSKEY"
SECRET_KEY = "lab-secret-key-0123456789"
Environ = dict[str, Any]
StartResponse = Callable[..., Any]


class S3Server:
    """An S3 server with one bucket, on the loopback by default."""

    def __init__(self, bucket: str = "music", host: str = LOOPBACK) -> None:
        self.bucket = bucket
        self.host = host
        self.port = free_port()
        self.endpoint = f"http://{host}:{self.port}"
        self._log = Path(tempfile.mkstemp(prefix="s3server-", suffix=".log")[1])
        self._process: subprocess.Popen[bytes] | None = None
        self._client: Any = None

    def __enter__(self) -> Self:
        self.start()
        self._client = botocore.session.get_session().create_client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(s3={"addressing_style": "path"}),
        )
        self._client.create_bucket(Bucket=self.bucket)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._client is not None:
            self._client.close()
        self.stop()
        self._log.unlink()

    def spec(self, prefix: str = "", limits: Limits | None = None) -> S3Spec:
        """How to open this server's bucket as an origin."""
        return S3Spec(
            id="bucket",
            bucket=self.bucket,
            prefix=prefix,
            endpoint=self.endpoint,
            access_key=ACCESS_KEY,
            secret_key=SECRET_KEY,
            limits=limits or Limits(),
        )

    def start(self) -> None:
        """Start; returns when it accepts. After a stop the bucket is gone: it lives in memory."""
        with self._log.open("ab") as sink:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.lab.s3server", str(self.port), self.host],
                cwd=Path(__file__).parents[2],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
            )
        wait_until_it_accepts((self.host, self.port), self._process, self._log)

    def stop(self) -> None:
        """End the server."""
        if self._process is not None:
            stop(self._process)
            self._process = None

    def pids(self) -> list[int]:
        """The pid of the server while it runs."""
        return [self._process.pid] if self._process is not None else []

    def put(self, key: str, data: bytes) -> None:
        """Create or replace an object."""
        self._client.put_object(Bucket=self.bucket, Key=key, Body=data)

    def delete(self, key: str) -> None:
        """Delete an object."""
        self._client.delete_object(Bucket=self.bucket, Key=key)

    def listing(self) -> dict[str, tuple[int, str]]:
        """Every object's size and ETag by its key."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        objects = [item for page in pages for item in page.get("Contents", [])]
        return {item["Key"]: (item["Size"], item["ETag"]) for item in objects}

    def pause(self) -> None:
        """Stop answering, as a host that has gone does: connections stay open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Answer again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def fail(self, kind: str, count: int) -> None:
        """Let the next requests fail, see the module's docstring."""
        self._ask(f"/__fail/{kind}/{count}")

    def stats(self) -> dict[str, int]:
        """Requests, body bytes sent and connections since the last reset."""
        answer: dict[str, int] = json.loads(self._ask("/__stats"))
        return answer

    def reset(self) -> None:
        """Counters to zero, no faults."""
        self._ask("/__reset")

    def restart(self, pause_s: float) -> None:
        """End every connection and accept none for a while; the objects stay."""
        self._ask(f"/__restart/{pause_s}")

    def _ask(self, path: str) -> bytes:
        with urllib.request.urlopen(self.endpoint + path, timeout=10) as answer:
            body: bytes = answer.read()
        return body


class _Control:
    """The WSGI application around moto: counts, and fails when told to."""

    def __init__(self, below: Callable[[Environ, StartResponse], Iterable[bytes]]) -> None:
        self.restart: Callable[[float], None] = _cannot_restart
        self._below = below
        self._lock = threading.Lock()
        self._reset()

    def _reset(self) -> None:
        self._fault, self._faults_left = "", 0
        self._requests, self._body_bytes = 0, 0
        self._peers: set[tuple[str, str]] = set()

    def __call__(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        # moto takes the path from RAW_URI: without it, keys with "?" or "%" in them break.
        raw = environ.get("REQUEST_URI") or environ["PATH_INFO"]
        environ["RAW_URI"] = raw.decode("latin-1") if isinstance(raw, bytes) else raw
        if environ["PATH_INFO"].startswith("/__"):
            return self._control(environ["PATH_INFO"].split("/")[1:], start)
        with self._lock:
            self._requests += 1
            self._peers.add((environ["REMOTE_ADDR"], environ["REMOTE_PORT"]))
            fault = self._fault if self._faults_left > 0 else ""
            self._faults_left -= bool(fault)
        return self._counted(self._serve(fault, environ, start))

    def _control(self, words: list[str], start: StartResponse) -> Iterable[bytes]:
        body = b""
        with self._lock:
            if words[0] == "__fail":
                self._fault, self._faults_left = words[1], int(words[2])
            elif words[0] == "__reset":
                self._reset()
            elif words[0] == "__restart":
                threading.Thread(target=self.restart, args=[float(words[1])]).start()
            else:
                counts = {
                    "requests": self._requests,
                    "body_bytes": self._body_bytes,
                    "connections": len(self._peers),
                }
                body = json.dumps(counts).encode()
        start("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    def _serve(self, fault: str, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        match fault:
            case "slow":
                return _refuse("503 Slow Down", "SlowDown", environ, start)
            case "deny":
                return _refuse("403 Forbidden", "SignatureDoesNotMatch", environ, start)
            case "cut":
                return _cut(b"".join(self._below(environ, start)))
            case "whole":
                environ.pop("HTTP_RANGE", None)
            case "hang":
                time.sleep(60)
        return self._below(environ, start)

    def _counted(self, body: Iterable[bytes]) -> Iterator[bytes]:
        for part in body:
            with self._lock:
                self._body_bytes += len(part)
            yield part


def _refuse(status: str, code: str, environ: Environ, start: StartResponse) -> Iterable[bytes]:
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>".encode()
    start(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
    return [body]


def _cut(body: bytes) -> Iterator[bytes]:
    yield body[: len(body) // 2]
    raise ConnectionAbortedError("cut on purpose")


def _cannot_restart(_: float) -> None:
    raise RuntimeError("the server does not run yet")


def _keep_values() -> None:
    """Have a range cost its own bytes: moto reads the whole object from its file each time."""
    from moto.s3.models import FakeKey

    read, write = FakeKey.value.fget, FakeKey.value.fset

    def value(key: Any) -> bytes:
        if vars(key).get("kept_value") is None:
            key.kept_value = read(key)
        kept: bytes = key.kept_value
        return kept

    def replace(key: Any, new: bytes) -> None:
        key.kept_value = None
        write(key, new)

    FakeKey.value = property(value, replace)


def main() -> None:
    """Serve until ended."""
    from cheroot.wsgi import Server
    from moto.server import DomainDispatcherApplication, create_backend_app

    _keep_values()
    application = _Control(DomainDispatcherApplication(create_backend_app))
    address = (sys.argv[2], int(sys.argv[1]))
    pauses_s: list[float] = []
    while True:
        server = Server(address, application, numthreads=32, shutdown_timeout=0)
        # As servers have it. By itself it makes a connection too many wait for a second, and closes
        # idle ones beyond ten, perhaps while a request is on its way there.
        server.request_queue_size = 128
        server.keep_alive_conn_limit = 256
        server.timeout = 60

        def restart(pause_s: float, server: Server = server) -> None:
            pauses_s.append(pause_s)
            server.stop()

        application.restart = restart
        server.start()
        if not pauses_s:
            return
        time.sleep(pauses_s.pop())


if __name__ == "__main__":
    main()
