"""A real OpenSSH server that serves a folder over SFTP, with keys and known_hosts of its own.

Its folder lies in /srv: sshd wants every folder above a chroot to belong to root and to be writable
by nobody else. Needs root and the package openssh-server.
"""

from __future__ import annotations

import getpass
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from origins.specs import Limits, SftpSpec
from tests.lab.processes import LOOPBACK, free_port, stop, wait_until_it_accepts

SSHD = "/usr/sbin/sshd"
CONFIG = """\
Port {port}
ListenAddress {host}
HostKey {folder}/host_key
PidFile none
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
Subsystem sftp internal-sftp
ForceCommand internal-sftp
ChrootDirectory {folder}/chroot
AllowTcpForwarding no
MaxSessions 10
MaxStartups 10:30:100
LogLevel VERBOSE
"""


class Sshd:
    """An SFTP server, on the loopback by default; `files` is what it serves as /music."""

    def __init__(self, host: str = LOOPBACK) -> None:
        self.host = host
        self.folder = Path(tempfile.mkdtemp(prefix="musefs-lab-", dir="/srv"))
        self.folder.chmod(0o755)
        self.files = self.folder / "chroot" / "music"
        self.key = self.folder / "user_key"
        self.known_hosts = self.folder / "known_hosts"
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.files.mkdir(parents=True)
        Path("/run/sshd").mkdir(exist_ok=True)
        self.new_key("host_key")
        self.new_key("user_key")
        shutil.copy(self.folder / "user_key.pub", self.folder / "authorized_keys")
        config = CONFIG.format(host=self.host, port=self.port, folder=self.folder)
        (self.folder / "sshd_config").write_text(config)
        self.accept_host_key()
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def spec(self, limits: Limits | None = None) -> SftpSpec:
        """How to open this server as an origin."""
        return SftpSpec(
            id="box",
            host=self.host,
            path="/music",
            known_hosts=self.known_hosts,
            port=self.port,
            user=getpass.getuser(),
            key=self.key,
            limits=limits or Limits(),
        )

    def new_key(self, name: str, passphrase: str = "") -> Path:
        """Make a key pair in the server's folder, in place of one of that name."""
        key = self.folder / name
        key.unlink(missing_ok=True)
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", str(key)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        return key

    def accept_host_key(self) -> None:
        """Write known_hosts with the present host key."""
        public = (self.folder / "host_key.pub").read_text()
        self.known_hosts.write_text(f"[{self.host}]:{self.port} {public}")

    def start(self) -> None:
        """Start listening; returns when connections are accepted."""
        log = self.folder / "log"
        with log.open("ab") as sink:
            self._process = subprocess.Popen(
                [SSHD, "-D", "-e", "-f", str(self.folder / "sshd_config")],
                stdin=subprocess.DEVNULL,
                stderr=sink,
            )
        wait_until_it_accepts((self.host, self.port), self._process, log)

    def stop(self) -> None:
        """End the server and the connections that it serves."""
        if self._process is not None:
            self.kill_connections()
            stop(self._process)
            self._process = None

    def pids(self) -> list[int]:
        """The pid of the server while it runs."""
        return [self._process.pid] if self._process is not None else []

    def kill_connections(self) -> None:
        """Kill the processes that serve connections, as a crash would."""
        assert self._process is not None
        for pid in _children(self._process.pid):
            subprocess.run(["kill", "-9", pid], check=False, stderr=subprocess.DEVNULL)

    def kill_sessions(self) -> None:
        """Kill the processes that serve files; their SSH connections go on."""
        assert self._process is not None
        for pid in _children(self._process.pid):
            if not _children(int(pid)):
                subprocess.run(["kill", "-9", pid], check=True)


def _children(pid: int) -> list[str]:
    """The pids of a process's children, the youngest generation first."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [child for one in children for child in (*_children(int(one)), one)]
