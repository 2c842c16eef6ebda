"""The conversation with a blood-pressure cuff: set its clock, take its finished measurements.

Pure. A cuff keeps old measurements and sends them when it is next in reach, dated by a clock that may be wrong: so the
offset that it showed on connecting corrects them, and what cannot be dated is dated by arrival and says so. Values
are never changed beyond kPa to mmHg, and nothing is dropped but an indication that came twice.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gateway.codecs import battery, blood_pressure, date_time
from gateway.codecs.blood_pressure import MMHG_PER_KPA, BloodPressure, CuffStatus
from gateway.link import Write
from gateway.reading import AtSource, Flag, LinkState, Reading, ReadingKind, StreamName
from gateway.sessions.session import UNNUMBERED, Draft, Moment, Step, battery_level, moment_of, status

if TYPE_CHECKING:
    from datetime import tzinfo

    from gateway.codecs.date_time import DeviceTime
    from gateway.link import Packet
    from gateway.reading import DeviceId

PRESSURE_STREAM = StreamName("blood_pressure")
CURRENT_TIME = "2A2B"
AHEAD = timedelta(seconds=120)
"""A measurement cannot lie further in the future than this."""
SEEN = 256

FLAGS: tuple[tuple[CuffStatus, Flag], ...] = (
    (CuffStatus.BODY_MOVEMENT, Flag.BODY_MOVEMENT),
    (CuffStatus.CUFF_LOOSE, Flag.CUFF_LOOSE),
    (CuffStatus.IRREGULAR_PULSE, Flag.IRREGULAR_PULSE),
    (CuffStatus.PULSE_ABOVE_RANGE, Flag.PULSE_OUT_OF_RANGE),
    (CuffStatus.PULSE_BELOW_RANGE, Flag.PULSE_OUT_OF_RANGE),
    (CuffStatus.POSITION_IMPROPER, Flag.POSITION_IMPROPER),
)


def flags_of(pressure: BloodPressure) -> tuple[Flag, ...]:
    """What the cuff says about the worth of its measurement; one without both pressures is questionable."""
    found = {flag for bit, flag in FLAGS if (pressure.status or 0) & bit}
    if pressure.systolic is None or pressure.diastolic is None:
        found.add(Flag.QUESTIONABLE)
    return tuple(sorted(found))


def values_of(pressure: BloodPressure) -> tuple[float | None, ...]:
    """Systolic, diastolic, mean in mmHg, and pulse."""
    factor = MMHG_PER_KPA if pressure.kpa else 1.0
    three = (pressure.systolic, pressure.diastolic, pressure.mean_arterial)
    in_mmhg = tuple(None if value is None else round(value * factor, 1) for value in three)
    return (*in_mmhg, pressure.pulse_bpm)


class CuffSession:
    """One cuff, over all its connections."""

    def __init__(self, device: DeviceId, zone: tzinfo = UTC) -> None:
        self._device = device
        self._zone = zone
        """A cuff shows local time; it knows no zone."""
        self._connection = ""
        self._set_at: datetime | None = None
        self._trusted = True
        self._shown: tuple[datetime, int] | None = None
        """What its clock showed on connecting, and when that was by the clock that never steps."""
        self._seen: dict[bytes, None] = {}
        self._battery: int | None = None
        self.duplicates = 0
        """Indications that came twice and were dropped."""

    def start(self, now: Moment, connection: str) -> Step:
        """Link up; the cuff's clock is set (some refuse), unless our own is in doubt."""
        self._connection = connection
        self._shown = None
        self._trusted = now.right
        self._set_at = self._local(now) if now.right else None
        writes: tuple[Write, ...] = ()
        if self._set_at is not None:
            clock = date_time.encode_current_time(date_time.current_time_of(self._set_at))
            writes = (Write(characteristic=CURRENT_TIME, data=clock, may_fail=True),)
        return Step(drafts=(status(self._device, now, link=LinkState.UP),), writes=writes)

    def stop(self) -> tuple[Write, ...]:
        """Nothing: some cuffs lose their bond when they are told to stop."""
        return ()

    def lost(self, now: Moment) -> Step:
        """Nothing is held; the link is down. A cuff leaves after every measurement: that is no fault."""
        return Step(drafts=(status(self._device, now, link=LinkState.DOWN),))

    def packet(self, packet: Packet) -> Step:
        """A measurement, the cuff's clock, battery; the deflating pressure is looked at and left alone."""
        match packet.characteristic:
            case blood_pressure.MEASUREMENT:
                return self._measurement(packet)
            case blood_pressure.INTERMEDIATE:
                blood_pressure.decode_intermediate(packet.data)
            case "2A2B":
                return self._clock(packet)
            case battery.LEVEL:
                return self._level(packet)
            case battery.FIRMWARE:
                firmware = battery.decode_text(packet.data)
                return Step(drafts=(status(self._device, moment_of(packet), firmware=firmware),))
        return Step()

    def _local(self, moment: Moment) -> datetime:
        return moment.at.astimezone(self._zone).replace(tzinfo=None)

    def _clock(self, packet: Packet) -> Step:
        shown = date_time.decode_current_time(packet.data).time.known
        if shown is None:
            return Step()
        now = moment_of(packet)
        self._shown = (shown, now.monotonic_ns)
        offset_s = round((shown - self._local(now)).total_seconds(), 3)
        return Step(drafts=(status(self._device, now, clock_offset_s=offset_s),))

    def _measurement(self, packet: Packet) -> Step:
        pressure = blood_pressure.decode(packet.data)
        if pressure.time is not None and pressure.time.known is not None:
            if packet.data in self._seen:
                self.duplicates += 1
                return Step()
            self._seen[packet.data] = None
            if len(self._seen) > SEEN:
                del self._seen[next(iter(self._seen))]
        at, source = self._dated(pressure.time, packet)
        has_clock = pressure.time is not None and pressure.time.known is not None
        reading = Reading(
            device=self._device,
            stream=PRESSURE_STREAM,
            seq=UNNUMBERED,
            kind=ReadingKind.BLOOD_PRESSURE,
            values=values_of(pressure),
            at=at,
            slot=pressure.user,
            device_time=pressure.time.text if pressure.time else None,
            connection=None if has_clock else self._connection,
            flags=flags_of(pressure),
            received_at=packet.heard_at,
            at_source=source,
        )
        draft = Draft(event=reading, heard_monotonic_ns=packet.heard_monotonic_ns, device_time=reading.device_time)
        if source is not AtSource.ESTIMATED:
            return Step(drafts=(draft,))
        note = f"clock says {reading.device_time} for a measurement heard now: dated by arrival"
        return Step(drafts=(draft, status(self._device, moment_of(packet), note=note)))

    def _dated(self, time: DeviceTime | None, packet: Packet) -> tuple[datetime, AtSource]:
        """The instant of a measurement: by the clock that we set, else by what the cuff's clock showed before."""
        measured = time.known if time else None
        if measured is None:
            return packet.heard_at, AtSource.ARRIVAL
        fresh = self._set_at is not None and measured >= self._set_at - timedelta(seconds=2)
        candidates: list[datetime] = []
        try:
            if fresh or (self._shown is None and self._trusted):
                candidates.append(measured.replace(tzinfo=self._zone).astimezone(UTC))
            if self._shown is not None:
                shown, monotonic_ns = self._shown
                since = timedelta(microseconds=(packet.heard_monotonic_ns - monotonic_ns) / 1000)
                candidates.append(packet.heard_at + (measured - shown) - since)
        except (OverflowError, ValueError):
            pass
        for at in candidates:
            if at <= packet.heard_at + AHEAD:
                return at, AtSource.DEVICE
        return packet.heard_at, AtSource.ESTIMATED

    def _level(self, packet: Packet) -> Step:
        self._battery, step = battery_level(self._device, packet, self._battery)
        return step
