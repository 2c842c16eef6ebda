"""The gateway's two clocks, and whether its wall clock is right.

Right = synchronised by NTP, or within 1 s of the time in the server's receipts. A small computer without a clock chip
may boot in 1970: where two receipts agree on how wrong the wall clock is, the server's time is taken instead. Nothing
here dates an event; that is done once, by the outbox, with `right_at`.
"""

from __future__ import annotations

import ctypes
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.sessions.session import Moment

if TYPE_CHECKING:
    from collections.abc import Callable

TOLERANCE = timedelta(seconds=1)
WAIT_FOR_TIME_NS = 600_000_000_000
"""Ten minutes without a right clock: events go out as `estimated`."""
_TIMESYNC_MARK = Path("/run/systemd/timesync/synchronized")
_NOT_SYNCHRONISED = 5
"""What the kernel's adjtimex answers then (TIME_ERROR)."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def ntp_synchronised() -> bool:
    """Whether the system says that its clock follows a time server; False where it does not say."""
    if _TIMESYNC_MARK.exists():
        return True
    try:
        # Asks only: the first field, what to change, is 0. The buffer is larger than the structure on any system.
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(1024))
    except (OSError, AttributeError, TypeError):
        return False
    return 0 <= int(state) < _NOT_SYNCHRONISED


def boot_id() -> str:
    """Which boot the monotonic clock counts from; a fresh word where the system does not say."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return f"start-{time.time_ns()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """Where time comes from: given in by whoever starts a gateway (a faster world gives its own)."""

    wall: Callable[[], datetime]
    monotonic_ns: Callable[[], int]
    synchronised: Callable[[], bool]
    """Whether the wall clock is known to be right without asking the server."""
    boot: str


def system_clocks() -> Clocks:
    """The computer's own."""
    return Clocks(
        wall=lambda: datetime.now(UTC),
        monotonic_ns=time.monotonic_ns,
        synchronised=ntp_synchronised,
        boot=boot_id(),
    )


class GatewayClock:
    """Which of what the clocks say can be believed."""

    def __init__(self, clocks: Clocks) -> None:
        self._clocks = clocks
        self.boot = clocks.boot
        self._agrees = False
        self._server_knows = False
        """Two receipts agreed on a time that is not the wall clock's."""
        self._claim: datetime | None = None
        """Server time minus monotonic time, by the last receipt."""

    def now(self) -> Moment:
        """Both clocks, as they stand."""
        return Moment(at=self._clocks.wall(), monotonic_ns=self._clocks.monotonic_ns(), right=self.wall_is_right())

    def wall_is_right(self) -> bool:
        """Whether what the wall clock says can be taken as it is."""
        return self._clocks.synchronised() or (self._agrees and not self._server_knows)

    def is_right(self) -> bool:
        """Whether `right_at` can be believed: the wall clock is right, or two receipts agreed on how wrong it is."""
        return self._server_knows or self.wall_is_right()

    def heard_server(self, server_time: datetime) -> None:
        """A receipt or hello came: it says what time it is (or was: it may have waited in a queue)."""
        now = Moment(at=self._clocks.wall(), monotonic_ns=self._clocks.monotonic_ns())
        if abs(server_time - now.at) <= TOLERANCE:
            self._agrees, self._server_knows, self._claim = True, False, None
            return
        claim = server_time - timedelta(microseconds=now.monotonic_ns / 1000)
        # A receipt that waited claims too early a time: the later claim is the better one, two that agree are believed.
        if self._claim is not None and abs(claim - self._claim) <= TOLERANCE:
            self._agrees, self._server_knows = False, True
        self._claim = claim if self._claim is None or claim > self._claim else self._claim

    def right_at(self, monotonic_ns: int) -> datetime:
        """The true instant of something that happened in this boot, as far as is known."""
        now_ns, wall = self._clocks.monotonic_ns(), self._clocks.wall()
        if self._server_knows and self._claim is not None and not self._clocks.synchronised():
            return self._claim + timedelta(microseconds=monotonic_ns / 1000)
        return wall - timedelta(microseconds=(now_ns - monotonic_ns) / 1000)
