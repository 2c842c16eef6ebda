"""The conversation with a continuous glucose sensor: what its memory holds since we last heard it, then the present.

Pure. A sensor numbers its records by the minute of its session, so memory is asked for from the last number on, a lost
link goes on where it was cut, and the same record twice is one reading. Nothing that a sensor says is dropped: what is no
measurement (warm-up, expired, no signal) becomes a reading that says so, for the detector to tell.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gateway.codecs import battery, cgm, cgm_sensor, record_access
from gateway.codecs.cgm import Annunciation, CgmRecord
from gateway.codecs.e2e_crc import CrcVariant
from gateway.codecs.malformed import MalformedPacket
from gateway.link import Write
from gateway.reading import AtSource, Flag, LinkState, Reading, ReadingKind, StreamName
from gateway.sessions.session import UNNUMBERED, Draft, Moment, Step, battery_level, joined, moment_of, status

if TYPE_CHECKING:
    from datetime import tzinfo

    from gateway.codecs.cgm_sensor import SensorStatus, SessionStart
    from gateway.link import Packet
    from gateway.reading import DeviceId

GLUCOSE_STREAM = StreamName("cgm")
AHEAD = timedelta(seconds=120)
"""A measurement cannot lie further in the future than this; nor may the sensor's clock be off by more to be believed."""
MINUTE_S = 60.0
SAME_SESSION = timedelta(hours=2)
"""A start that moves by less is the same session after somebody has set the sensor's clock."""
PATIENCE_NS = 30_000_000_000
"""The profile's time limit of a request, which each record begins anew."""
WARM_UP_MIN = 120
"""The longest warm-up of common sensors: without any value for longer, it is no warm-up any more."""
INTERVAL_MIN = 5
"""Asked of a sensor that would tell nothing by itself."""
SEEN = 4096
BELOW_RANGE_MG_DL, ABOVE_RANGE_MG_DL = 39.0, 401.0
"""What stands for "lower (higher) than I can measure": just outside of the 40 to 400 that sensors show."""

_A = Annunciation
DOUBTFUL = (
    _A.SENSOR_TYPE_INCORRECT
    | _A.SENSOR_MALFUNCTION
    | _A.DEVICE_FAULT
    | _A.CALIBRATION_REQUIRED
    | _A.TEMPERATURE_TOO_HIGH
    | _A.TEMPERATURE_TOO_LOW
)
"""States in which the sensor itself says that its value may be wrong."""


@dataclass(slots=True)
class Wear:
    """One sensor session: from insertion to removal, over all connections."""

    name: str
    """What its records are told apart by where it does not know the time: the connection that first met it."""
    start: SessionStart | None = None
    """As first heard: the dates of its records must not change afterwards."""
    next_min: int = 0
    """From this number on the memory has not been heard."""
    newest_min: int = -1
    first_value_min: int | None = None
    seen: dict[int, CgmRecord] = field(default_factory=dict)
    is_over: bool = False
    """That the session has ended was said."""


class CgmSession:
    """One sensor's place on the body: transmitter, and one sensor session after the other."""

    def __init__(self, device: DeviceId, zone: tzinfo = UTC) -> None:
        self._device = device
        self._zone = zone
        """Of a sensor that does not say its own."""
        self._connection = ""
        self._wear = Wear("")
        self._heard_start: SessionStart | None = None
        self._run_time_min = 0
        self._variant: CrcVariant | None = None
        """Learnt from the first packet with a CRC."""
        self._is_control = False
        self._started: Moment | None = None
        self._now: tuple[int, Moment] | None = None
        """The sensor's minute on connecting, and when that was."""
        self._has_asked = False
        self._waits_since_ns: int | None = None
        """A request for memory is running, and when it last got on."""
        self._battery: int | None = None
        self._low_battery = False
        self.duplicates = 0
        """Records that came twice and were dropped."""

    def start(self, now: Moment, connection: str) -> Step:
        """Link up. Memory is asked for as soon as the sensor has said which session it is in, and where it stands."""
        self._connection = connection
        self._wear.name = self._wear.name or connection
        self._started = now
        self._now = None
        self._has_asked = False
        self._waits_since_ns = None
        return Step(drafts=(status(self._device, now, link=LinkState.UP),))

    def stop(self) -> tuple[Write, ...]:
        """A request that is running is given up; its records are asked for next time."""
        if self._waits_since_ns is None:
            return ()
        return (Write(characteristic=record_access.CONTROL, data=_STOP, may_fail=True),)

    def lost(self, now: Moment) -> Step:
        """Nothing is held; the link is down."""
        self._waits_since_ns = None
        return Step(drafts=(status(self._device, now, link=LinkState.DOWN),))

    def packet(self, packet: Packet) -> Step:  # noqa: PLR0911 - a table of characteristics
        """Records, the sensor's state, the end of a request; others are ignored."""
        match packet.characteristic:
            case cgm.MEASUREMENT:
                return self._records(packet)
            case cgm_sensor.SESSION_START:
                return self._session(packet)
            case cgm_sensor.STATUS:
                return self._status(packet)
            case cgm_sensor.RUN_TIME:
                self._run_time_min = cgm_sensor.decode_run_time(packet.data).hours * 60
            case cgm_sensor.FEATURE:
                self._is_control = cgm_sensor.decode_features(packet.data).kind == cgm_sensor.CONTROL_SOLUTION
            case cgm_sensor.CONTROL:
                return self._interval(packet)
            case record_access.CONTROL:
                return self._answer(packet)
            case battery.LEVEL:
                return self._level(packet)
            case battery.FIRMWARE:
                firmware = battery.decode_text(packet.data)
                return Step(drafts=(status(self._device, moment_of(packet), firmware=firmware),))
        return Step()

    # ------------------------------------------------------------------ which session, and where it stands

    def _session(self, packet: Packet) -> Step:
        start = self._heard_start = cgm_sensor.decode_session_start(packet.data)
        was, begins = self._instant(self._wear.start), self._instant(start)
        if was is not None and begins is not None and abs(begins - was) > SAME_SESSION:
            self._wear = Wear(self._connection, start=start)
        elif was is None:
            self._wear.start = start
        if start.time.known is not None or self._started is None or not self._started.right:
            return Step()
        # Nobody has told it the time: it works out the start of its session from that of now.
        local = packet.heard_at.astimezone(self._zone)
        told = cgm_sensor.session_start_of(local.replace(tzinfo=None), local.utcoffset() or timedelta(), start.crc)
        data = cgm_sensor.encode_session_start(told)
        return Step(writes=(Write(characteristic=cgm_sensor.SESSION_START, data=data, may_fail=True),))

    def _status(self, packet: Packet) -> Step:
        told, now = cgm_sensor.decode_status(packet.data), moment_of(packet)
        if told.crc is not CrcVariant.EITHER:
            self._variant = self._variant or told.crc
        if told.offset_min < self._wear.newest_min:
            # It counts from the beginning again: a new sensor, whatever its clock says.
            self._wear = Wear(self._connection, start=self._heard_start)
        self._now = (told.offset_min, now)
        drafts: list[Draft] = []
        start_at = self._instant(self._wear.start)
        if start_at is not None and self._started is not None and self._started.right:
            ahead_s = (start_at + timedelta(minutes=told.offset_min) - now.at).total_seconds()
            # Its minutes are whole ones: it may be up to one behind, and right.
            offset_s = 0.0 if -MINUTE_S <= ahead_s <= 0 else round(ahead_s, 3)
            drafts.append(status(self._device, now, clock_offset_s=offset_s))
        is_low = bool(told.annunciation & _A.BATTERY_LOW)
        if is_low and not self._low_battery:
            drafts.append(status(self._device, now, note="the sensor's battery is low"))
        self._low_battery = is_low
        has_ended = bool(told.annunciation & _A.SESSION_STOPPED) or self._is_expired(told.offset_min)
        if has_ended and not self._wear.is_over:
            drafts.append(self._reading(_ended(told), packet))
        self._wear.is_over = has_ended
        interval = Write(
            characteristic=cgm_sensor.CONTROL, data=self._control(cgm_sensor.Op.GET_INTERVAL), may_fail=True
        )
        return joined([Step(drafts=tuple(drafts)), self._ask(packet), Step(writes=(interval,))])

    def _is_expired(self, offset_min: int) -> bool:
        return 0 < self._run_time_min < offset_min

    def _instant(self, start: SessionStart | None) -> datetime | None:
        """When a session began, by the sensor's own clock; None = it does not know."""
        if start is None or start.time.known is None:
            return None
        offset = start.utc_offset()
        try:
            if offset is None:
                return start.time.known.replace(tzinfo=self._zone).astimezone(UTC)
            return start.time.known.replace(tzinfo=UTC) - offset
        except OverflowError:
            return None

    # ------------------------------------------------------------------ its memory

    def _ask(self, packet: Packet) -> Step:
        """Ask for the memory, once a connection."""
        if self._has_asked:
            return Step()
        self._has_asked = True
        return self._request(packet.heard_monotonic_ns)

    def _request(self, now_ns: int) -> Step:
        self._waits_since_ns = now_ns
        wear = self._wear
        asked = record_access.from_number(min(wear.next_min, 0xFFFF)) if wear.next_min else record_access.ALL
        # A sensor may refuse, being busy: then nothing gets on, and its next record has it asked again.
        return Step(
            writes=(Write(characteristic=record_access.CONTROL, data=record_access.encode(asked), may_fail=True),)
        )

    def _answer(self, packet: Packet) -> Step:
        answer = record_access.decode(packet.data)
        if not isinstance(answer, record_access.Done) or answer.op != record_access.OpCode.REPORT:
            return Step()
        self._waits_since_ns = None
        if answer.result in (record_access.Result.SUCCESS, record_access.Result.NO_RECORDS):
            # All is here: what came meanwhile of the present as well.
            self._wear.next_min = max(self._wear.next_min, self._wear.newest_min + 1)
            return Step()
        note = f"the sensor did not give its memory: result {answer.result}"
        return Step(drafts=(status(self._device, moment_of(packet), note=note),))

    def _interval(self, packet: Packet) -> Step:
        told = cgm_sensor.decode_control(packet.data)
        if told.op != cgm_sensor.Op.INTERVAL or told.operand[0]:
            return Step()
        data = self._control(cgm_sensor.Op.SET_INTERVAL, bytes((INTERVAL_MIN,)))
        return Step(writes=(Write(characteristic=cgm_sensor.CONTROL, data=data, may_fail=True),))

    def _control(self, op: cgm_sensor.Op, operand: bytes = b"") -> bytes:
        return cgm_sensor.encode_control(cgm_sensor.ControlPoint(op=op, operand=operand, crc=self._variant))

    # ------------------------------------------------------------------ its records

    def _records(self, packet: Packet) -> Step:
        records = cgm.decode(packet.data)
        told = [record.crc for record in records if record.crc is not CrcVariant.EITHER]
        variant = self._variant or next(iter(told), None)
        if any(crc is not variant for crc in told):
            raise MalformedPacket(f"its CRC is not the one of this sensor ({variant})", packet.data)
        self._variant = variant
        drafts = [draft for record in records if (draft := self._taken(record, packet)) is not None]
        steps = [Step(drafts=tuple(drafts)), self._ask(packet)]
        if self._waits_since_ns is not None and packet.heard_monotonic_ns - self._waits_since_ns > PATIENCE_NS:
            # The request has died without a word, and the sensor speaks: give it up, and ask for what is missing.
            note = status(self._device, moment_of(packet), note="the sensor's memory did not come in time: asked again")
            give_up = Write(characteristic=record_access.CONTROL, data=_STOP, may_fail=True)
            steps += [Step(drafts=(note,), writes=(give_up,)), self._request(packet.heard_monotonic_ns)]
        return joined(steps)

    def _taken(self, record: CgmRecord, packet: Packet) -> Draft | None:
        wear = self._wear
        if self._waits_since_ns is not None and (self._now is None or record.offset_min < self._now[0]):
            self._waits_since_ns = packet.heard_monotonic_ns
            if self._now is not None:
                # Of the memory, which comes in order: a lost link goes on behind it.
                wear.next_min = max(wear.next_min, record.offset_min + 1)
        if wear.seen.get(record.offset_min) == record:
            self.duplicates += 1
            return None
        wear.seen[record.offset_min] = record
        if len(wear.seen) > SEEN:
            del wear.seen[next(iter(wear.seen))]
        if self._waits_since_ns is None and self._has_asked:
            # Of the present, with nothing missing before it.
            wear.next_min = max(wear.next_min, record.offset_min + 1)
        wear.newest_min = max(wear.newest_min, record.offset_min)
        if record.mg_dl and (wear.first_value_min is None or record.offset_min < wear.first_value_min):
            wear.first_value_min = record.offset_min
        return self._reading(record, packet)

    def _reading(self, record: CgmRecord, packet: Packet) -> Draft:
        mg_dl, flags = self._judged(record)
        at, source = self._dated(record.offset_min, packet)
        clock = self._device_time(record.offset_min)
        reading = Reading(
            device=self._device,
            stream=GLUCOSE_STREAM,
            seq=UNNUMBERED,
            kind=ReadingKind.GLUCOSE,
            values=(mg_dl,),
            at=at,
            device_time=clock or f"{self._wear.name}+{record.offset_min}min",
            connection=None if clock else self._connection,
            flags=tuple(sorted(flags)),
            received_at=packet.heard_at,
            at_source=source,
        )
        return Draft(event=reading, heard_monotonic_ns=packet.heard_monotonic_ns, device_time=reading.device_time)

    def _judged(self, record: CgmRecord) -> tuple[float, set[Flag]]:
        """The value, 0 where there is none, and what the sensor says of its worth."""
        flags = {Flag.CONTROL_SOLUTION} if self._is_control else set()
        said = record.annunciation
        mg_dl = record.mg_dl or 0.0
        if said & _A.SESSION_STOPPED or self._is_expired(record.offset_min):
            return mg_dl, flags | {Flag.SENSOR_EXPIRED}
        if not mg_dl and said & _A.BELOW_RANGE:
            mg_dl = BELOW_RANGE_MG_DL
        elif not mg_dl and said & _A.ABOVE_RANGE:
            mg_dl = ABOVE_RANGE_MG_DL
        if not mg_dl:
            return 0.0, flags | {Flag.SENSOR_WARM_UP if self._warms_up(record.offset_min) else Flag.SIGNAL_LOST}
        return mg_dl, flags | {Flag.QUESTIONABLE} if said & DOUBTFUL else flags

    def _warms_up(self, offset_min: int) -> bool:
        first_min = self._wear.first_value_min
        return offset_min <= WARM_UP_MIN and (first_min is None or offset_min < first_min)

    def _device_time(self, offset_min: int) -> str | None:
        """The sensor's own time of a record, as text; None = it knows none."""
        known = self._wear.start.time.known if self._wear.start else None
        try:
            return None if known is None else (known + timedelta(minutes=offset_min)).isoformat()
        except OverflowError:
            return None

    def _dated(self, offset_min: int, packet: Packet) -> tuple[datetime, AtSource]:
        """The instant of a record: by the sensor's clock where that is right, else by how long ago it was on connecting."""
        found: list[datetime] = []
        start_at = self._instant(self._wear.start)
        try:
            if self._now is not None:
                now_min, then = self._now
                since = timedelta(microseconds=(packet.heard_monotonic_ns - then.monotonic_ns) / 1000)
                found.append(packet.heard_at - since - timedelta(minutes=now_min - offset_min))
            if start_at is not None and self._started is not None and self._started.right:
                by_clock = start_at + timedelta(minutes=offset_min)
                # Minutes are whole ones: what was "now" may have been up to a minute later.
                if not found or abs(by_clock - found[0]) <= AHEAD:
                    found.insert(0, by_clock)
        except OverflowError:
            found = []
        for at in found:
            if at <= packet.heard_at + AHEAD:
                return at, AtSource.DEVICE
        return packet.heard_at, AtSource.ESTIMATED

    def _level(self, packet: Packet) -> Step:
        self._battery, step = battery_level(self._device, packet, self._battery)
        return step


_STOP = record_access.encode(record_access.STOP)


def _ended(told: SensorStatus) -> CgmRecord:
    return CgmRecord(mg_dl=None, offset_min=told.offset_min, annunciation=told.annunciation | _A.SESSION_STOPPED)
