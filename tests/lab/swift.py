"""OpenStack Swift with its S3 API: a second, stricter S3 server that checks signatures.

Installed with pip into an environment of its own (.venv-swift) when it is not there. Four
processes without replication; everything lies in one folder that is removed at the end.
"""

from __future__ import annotations

import getpass
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import botocore.session
from botocore.config import Config

from origins.specs import Limits, S3Spec
from tests.lab.processes import LOOPBACK, free_port, stop, wait_until_it_accepts

ENVIRONMENT = Path(__file__).parents[2] / ".venv-swift"
ACCESS_KEY = "test:tester"
SECRET_KEY = "testing"

SWIFT = """\
[swift-hash]
swift_hash_path_prefix = lab
swift_hash_path_suffix = lab
[storage-policy:0]
name = default
default = yes
"""
COMMON = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
user = {user}
swift_dir = {folder}
workers = 0
log_udp_host = 127.0.0.1
log_udp_port = 9
"""
STORAGE = """\
devices = {folder}/devices
mount_check = false
disable_fallocate = true
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""
# symlink comes after versioned_writes, else a ranged GET of a versioned object is refused.
PROXY = """\
[pipeline:main]
pipeline = catch_errors cache listing_formats s3api tempauth bulk slo dlo versioned_writes symlink \
proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:9
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
location = us-east-1
dns_compliant_bucket_names = false
check_bucket_owner = false
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin .reseller_admin
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true
[filter:symlink]
use = egg:swift#symlink
"""


class Swift:
    """A Swift cluster of one machine, with one bucket."""

    def __init__(self, bucket: str = "music") -> None:
        self.bucket = bucket
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._folder = Path(tempfile.mkdtemp(prefix="swift-"))
        self._processes: list[subprocess.Popen[bytes]] = []
        self._client: Any = None

    def __enter__(self) -> Self:
        _install()
        try:
            self._configure()
            self._client = botocore.session.get_session().create_client(
                "s3",
                endpoint_url=self.endpoint,
                region_name="us-east-1",
                aws_access_key_id=ACCESS_KEY,
                aws_secret_access_key=SECRET_KEY,
                config=Config(
                    s3={"addressing_style": "path"}, request_checksum_calculation="when_required"
                ),
            )
            self._client.create_bucket(Bucket=self.bucket)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def spec(self, prefix: str = "", limits: Limits | None = None) -> S3Spec:
        """How to open this server's bucket as an origin."""
        return S3Spec(
            id="swift",
            bucket=self.bucket,
            prefix=prefix,
            endpoint=self.endpoint,
            region="us-east-1",
            access_key=ACCESS_KEY,
            secret_key=SECRET_KEY,
            limits=limits or Limits(),
        )

    def put(self, key: str, data: bytes) -> None:
        """Create or replace an object."""
        self._client.put_object(Bucket=self.bucket, Key=key, Body=data)

    def delete(self, key: str) -> None:
        """Delete an object."""
        self._client.delete_object(Bucket=self.bucket, Key=key)

    def _end(self) -> None:
        if self._client is not None:
            self._client.close()
        for process in self._processes:
            stop(process)
        shutil.rmtree(self._folder)

    def _configure(self) -> None:
        (self._folder / "swift.conf").write_text(SWIFT)
        (self._folder / "devices" / "sdb1").mkdir(parents=True)
        ports = {kind: free_port() for kind in ("account", "container", "object")}
        for kind, port in ports.items():
            builder = str(self._folder / f"{kind}.builder")
            for words in (
                ("create", "4", "1", "1"),
                ("add", f"r1z1-127.0.0.1:{port}/sdb1", "1"),
                ("rebalance",),
            ):
                self._run("swift-ring-builder", builder, *words)
            self._start(kind, port, STORAGE.format(folder=self._folder, kind=kind))
        self._start("proxy", self.port, PROXY)

    def _run(self, *command: str) -> None:
        program = ENVIRONMENT / "bin" / command[0]
        subprocess.run([program, *command[1:]], check=True, stdout=subprocess.DEVNULL)

    def _start(self, kind: str, port: int, text: str) -> None:
        common = COMMON.format(port=port, user=getpass.getuser(), folder=self._folder)
        config = self._folder / f"{kind}-server.conf"
        config.write_text(common + text)
        log = self._folder / f"{kind}.log"
        with log.open("wb") as sink:
            process = subprocess.Popen(
                [ENVIRONMENT / "bin" / f"swift-{kind}-server", config],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
            )
        self._processes.append(process)
        wait_until_it_accepts((LOOPBACK, port), process, log)


def _install() -> None:
    if (ENVIRONMENT / "bin" / "swift-proxy-server").exists():
        return
    subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
    pip = [str(ENVIRONMENT / "bin" / "pip"), "install", "-q", "swift", "setuptools<81"]
    subprocess.run(pip, check=True)
