"""A link with a delay and a rate between two network namespaces, for kernels without netem.

Run as `python -m benchmarks.delaynet NS_A NS_B DELAY_MS RATE_MBIT`, as root. Each namespace gets a
TUN device; a packet that enters one leaves the other later. Packets cross as the kernel makes them,
several segments in one (virtio_net.h), so that the program keeps up with the rate. It says "up".
"""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass, field

from benchmarks.namespaces import inside

DEVICE = "wan0"
ADDRESSES = ("10.78.0.1", "10.78.0.2")
"""Of the client's and of the server's side."""
MTU_BYTES = 1500
PACKET_BYTES_MAX = 70_000
QUEUE_BYTES_MAX = 64 << 20
BURST_PACKETS = 64

TUNSETIFF = 0x400454CA  # linux/if_tun.h
TUNSETOFFLOAD = 0x400454D0
IFF_TUN, IFF_NO_PI, IFF_VNET_HDR = 0x0001, 0x1000, 0x4000
TUN_F_CSUM, TUN_F_TSO4 = 0x01, 0x02


@dataclass(slots=True)
class Direction:
    """From one device to the other; a first-in, first-out queue with the times of delivery."""

    source: int
    target: int
    delay_s: float
    bytes_per_s: float
    free_at_s: float = 0.0
    queued_bytes: int = 0
    queue: deque[tuple[float, bytes]] = field(default_factory=deque)

    def accept(self, packet: bytes, now_s: float) -> None:
        """Queue a packet; it is lost when the queue is full."""
        if self.queued_bytes + len(packet) > QUEUE_BYTES_MAX:
            return
        self.free_at_s = max(now_s, self.free_at_s) + len(packet) / self.bytes_per_s
        self.queue.append((self.free_at_s + self.delay_s, packet))
        self.queued_bytes += len(packet)

    def due(self, now_s: float) -> bytes | None:
        """The next packet whose time has come."""
        if not self.queue or self.queue[0][0] > now_s:
            return None
        packet = self.queue.popleft()[1]
        self.queued_bytes -= len(packet)
        return packet


def open_device(namespace: str, address: str) -> int:
    """A TUN device in a namespace, up; its descriptor."""
    with inside(namespace):
        device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR
        fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", DEVICE.encode(), flags))
        fcntl.ioctl(device, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4)
        for command in (
            f"addr add {address}/24 dev {DEVICE}",
            f"link set {DEVICE} mtu {MTU_BYTES} txqueuelen 10000 up",
            "link set lo up",
        ):
            subprocess.run(["ip", *command.split()], check=True)
    return device


def forward(directions: list[Direction]) -> None:
    """Carry packets for ever."""
    by_source = {direction.source: direction for direction in directions}
    while True:
        now_s = time.monotonic()
        due = [direction.queue[0][0] for direction in directions if direction.queue]
        wait_s = max(0.0, min(due) - now_s) if due else None
        ready, _, _ = select.select(list(by_source), [], [], wait_s)
        for source in ready:
            _take(by_source[source])
        for direction in directions:
            while (packet := direction.due(time.monotonic())) is not None:
                _give(direction.target, packet)


def _take(direction: Direction) -> None:
    for _ in range(BURST_PACKETS):
        try:
            packet = os.read(direction.source, PACKET_BYTES_MAX)
        except BlockingIOError:
            return
        direction.accept(packet, time.monotonic())


def _give(device: int, packet: bytes) -> None:
    try:
        os.write(device, packet)
    except OSError:
        return  # as any network: what cannot be delivered is lost


def main() -> None:
    """Make the link and carry packets until ended."""
    namespaces, delay_s = sys.argv[1:3], float(sys.argv[3]) / 1e3
    bytes_per_s = float(sys.argv[4]) * 1e6 / 8
    one, other = (
        open_device(namespace, address)
        for namespace, address in zip(namespaces, ADDRESSES, strict=True)
    )
    print("up", flush=True)
    forward(
        [Direction(one, other, delay_s, bytes_per_s), Direction(other, one, delay_s, bytes_per_s)]
    )


if __name__ == "__main__":
    main()
