"""A virtual blood-pressure cuff that several people share: 2A35 measurements by its own clock. No link, no real clock.

It keeps what it measured until somebody fetches it, sends each measurement once, and knows its users by slot only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from device_sims.notification import Notification
from gateway.codecs import battery, blood_pressure, date_time
from gateway.codecs.blood_pressure import BloodPressure, CuffStatus
from gateway.codecs.malformed import MalformedPacket
from gateway.link import DeviceKind, LinkLost
from gateway.reading import DeviceId

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from device_sims.faults import Faults

CURRENT_TIME = "2A2B"

_QUIET = CuffStatus(0)
_GAP_S = 0.05
"""Between two measurements of one connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One inflation of the cuff."""

    at_s: float
    """Seconds since the world began."""
    slot: int | None
    """User slot; None = unknown."""
    systolic_mmhg: float
    diastolic_mmhg: float
    pulse_bpm: float | None = None
    status: CuffStatus = _QUIET


def packet(measured: Measurement, shown: datetime | None, *, kpa: bool = False) -> bytes:
    """2A35 as this cuff sends it: dated by what its display showed (None: it has no clock), the mean pressure NaN."""
    unit = 1 / blood_pressure.MMHG_PER_KPA if kpa else 1.0
    return blood_pressure.encode(
        BloodPressure(
            systolic=measured.systolic_mmhg * unit,
            diastolic=measured.diastolic_mmhg * unit,
            mean_arterial=None,
            kpa=kpa,
            time=None if shown is None else date_time.of(shown),
            pulse_bpm=measured.pulse_bpm,
            user=measured.slot,
            status=int(measured.status),
        )
    )


class Cuff:
    """The cuff as a radio sees it (`device_sims.link.Radio`): it advertises only while it holds a measurement."""

    kind = DeviceKind.CUFF
    firmware = "1.2"

    def __init__(
        self,
        serial: str,
        measurements: Iterable[Measurement],
        clock: datetime,
        *,
        takes_clock: bool = True,
        kpa: bool = False,
        battery_percent: int = 80,
        faults: Faults = iter,
    ) -> None:
        """`clock` is what its display shows when the world begins (it has no time zone); some refuse to have it set."""
        self.device = DeviceId(serial)
        self._measurements = sorted(measurements, key=lambda each: each.at_s)
        self._sent = 0
        self._set_at: list[tuple[float, datetime]] = [(0.0, clock.replace(tzinfo=None))]
        self._takes_clock = takes_clock
        self._kpa = kpa
        self._battery_percent = battery_percent
        self._faults = faults

    def measure(self, measured: Measurement) -> None:
        """One more inflation; not before the last one."""
        self._measurements.append(measured)

    def reachable_at(self, now_s: float) -> float | None:
        """When it next has something to tell; None when it has told everything."""
        if self._sent == len(self._measurements):
            return None
        return max(now_s, self._measurements[self._sent].at_s)

    def connected(self, now_s: float) -> list[Notification]:
        """What is read from it at once: firmware, and its clock."""
        read = self.reads(now_s)
        return [
            Notification(at_s=now_s, characteristic=uuid, data=read[uuid]) for uuid in (battery.FIRMWARE, CURRENT_TIME)
        ]

    def reads(self, now_s: float) -> dict[str, bytes]:
        """Firmware, battery, and what its display shows."""
        shown = date_time.encode_current_time(date_time.current_time_of(self.shown_at(now_s)))
        return {
            battery.FIRMWARE: self.firmware.encode(),
            battery.LEVEL: battery.encode(self._battery_percent),
            CURRENT_TIME: shown,
        }

    def written(self, characteristic: str, data: bytes, now_s: float) -> list[Notification]:
        """Sets its clock.

        Raises:
            LinkLost: it takes no such write.
        """
        if characteristic != CURRENT_TIME or not self._takes_clock:
            raise LinkLost(f"this cuff refuses a write to {characteristic}")
        try:
            clock = date_time.decode_current_time(data).time.known
        except MalformedPacket as error:
            raise LinkLost(f"the cuff refuses its clock: {error}") from error
        if clock is None:
            raise LinkLost("the cuff refuses an unknown date as its clock")
        self._set_at.append((now_s, clock))
        return []

    def stream(self, from_s: float) -> Iterator[Notification]:
        """What it holds, oldest first, each once; then it hangs up: the stream ends."""
        return self._faults(self._held(from_s))

    def shown_at(self, at_s: float) -> datetime:
        """What its display showed at that moment: by the last setting before it."""
        set_s, clock = [setting for setting in self._set_at if setting[0] <= at_s or setting[0] == 0.0][-1]
        return clock + timedelta(seconds=at_s - set_s)

    def _held(self, from_s: float) -> Iterator[Notification]:
        at_s = from_s
        while self._sent < len(self._measurements) and self._measurements[self._sent].at_s <= at_s:
            measured = self._measurements[self._sent]
            # Counted as sent once it is taken: a link lost before that leaves it in the cuff.
            at_s += _GAP_S
            data = packet(measured, self.shown_at(measured.at_s), kpa=self._kpa)
            yield Notification(at_s=at_s, characteristic=blood_pressure.MEASUREMENT, data=data)
            self._sent += 1
