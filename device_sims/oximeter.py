"""A virtual pulse oximeter: 2A5F each second while a finger is in it, and 2A5E, the spot check, when it is taken out.

No link, no clock. The bytes are put together by hand (Pulse Oximeter Service 1.0, 3.1 and 3.2), so that the gateway's
codec meets another pen than its own; the flags of the two characteristics differ.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntFlag
from typing import TYPE_CHECKING

from device_sims.notification import Notification
from gateway.codecs import battery, date_time, sfloat
from gateway.link import LinkLost
from gateway.reading import DeviceId

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from device_sims.faults import Faults

SPOT_CHECK, CONTINUOUS, FEATURE = "2A5E", "2A5F", "2A60"
FEATURES = bytes.fromhex("0300")
"""2A60: measurement status and device status are supported."""
_SPOT_HAS_TIME, _SPOT_HAS_STATUS = 1, 2
_CONTINUOUS_HAS_STATUS = 4


class OximeterStatus(IntFlag):
    """The measurement status word, as far as we say it."""

    MEASURES = 1 << 5
    EARLY_ESTIMATE = 1 << 6
    VALIDATED = 1 << 7
    QUALIFIED = 1 << 8
    IS_DEMO = 1 << 11
    IS_TEST = 1 << 12
    QUESTIONABLE = 1 << 14
    INVALID = 1 << 15


GOOD = OximeterStatus.MEASURES | OximeterStatus.VALIDATED


@dataclass(frozen=True, slots=True, kw_only=True)
class Finger:
    """One second in the clip."""

    spo2_percent: float | None
    pulse_bpm: float | None
    status: OximeterStatus = GOOD


def continuous(finger: Finger) -> bytes:
    """2A5F for one second."""
    values = struct.pack("<HH", sfloat.encode(finger.spo2_percent), sfloat.encode(finger.pulse_bpm))
    return bytes((_CONTINUOUS_HAS_STATUS,)) + values + struct.pack("<H", finger.status)


def spot_check(finger: Finger, shown: datetime) -> bytes:
    """2A5E: the value that stays, with the time on the display."""
    values = struct.pack("<HH", sfloat.encode(finger.spo2_percent), sfloat.encode(finger.pulse_bpm))
    when = date_time.encode(date_time.of(shown))
    return bytes((_SPOT_HAS_TIME | _SPOT_HAS_STATUS,)) + values + when + struct.pack("<H", finger.status)


class Oximeter:
    """The clip as the air sees it (`device_sims.link.Wearable`)."""

    firmware = "1.7"

    def __init__(
        self,
        serial: str,
        fingers: Sequence[Finger],
        clock: datetime,
        *,
        loops: bool = True,
        battery_percent: int = 70,
        faults: Faults = iter,
    ) -> None:
        """`fingers` from the start of the world on; unless it `loops`, the finger is taken out after the last second."""
        self.device = DeviceId(serial)
        self._fingers = list(fingers)
        self._clock = clock.replace(tzinfo=None)
        self._loops = loops
        self._battery_percent = battery_percent
        self._faults = faults

    def reachable_at(self, now_s: float) -> float | None:
        """As long as a finger is in it."""
        return now_s if self._loops or now_s < len(self._fingers) else None

    def connected(self, now_s: float) -> list[Notification]:
        """What is read from it at once."""
        return [Notification(at_s=now_s, characteristic=uuid, data=data) for uuid, data in self.reads(now_s).items()]

    def reads(self, now_s: float) -> dict[str, bytes]:  # noqa: ARG002 - a clip always reads the same
        """Firmware, battery, features."""
        return {
            battery.FIRMWARE: self.firmware.encode(),
            battery.LEVEL: battery.encode(self._battery_percent),
            FEATURE: FEATURES,
        }

    def written(self, characteristic: str, data: bytes, now_s: float) -> list[Notification]:  # noqa: ARG002
        """Nothing can be written to it."""
        raise LinkLost(f"an oximeter refuses a write to {characteristic}")

    def stream(self, from_s: float) -> Iterator[Notification]:
        """A value each second; at the end the spot check, and it hangs up."""
        return self._faults(self._told(from_s))

    def _told(self, from_s: float) -> Iterator[Notification]:
        second = int(from_s) + 1
        while self._fingers and (self._loops or second <= len(self._fingers)):
            finger = self._fingers[(second - 1) % len(self._fingers)]
            yield Notification(at_s=float(second), characteristic=CONTINUOUS, data=continuous(finger))
            second += 1
        if self._fingers:
            data = spot_check(self._fingers[-1], self._clock + timedelta(seconds=second - 1))
            yield Notification(at_s=float(second), characteristic=SPOT_CHECK, data=data)
