"""A virtual continuous glucose sensor: measures every five minutes, keeps it, answers what its memory holds.

Its memory is whole whoever fetches it and however often; nobody can delete it. It counts minutes since its session began
and dates that start by its own clock. No link, no real clock.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from device_sims.notification import Notification
from gateway.codecs import battery, cgm, cgm_sensor, record_access
from gateway.codecs.cgm import NOTHING, CgmRecord
from gateway.codecs.cgm_sensor import ControlPoint, Feature, Features, Op, RunTime, SensorStatus
from gateway.codecs.date_time import DeviceTime
from gateway.codecs.e2e_crc import CrcVariant
from gateway.codecs.malformed import MalformedPacket
from gateway.codecs.record_access import OpCode, Operator, Result
from gateway.link import DeviceKind, LinkLost
from gateway.reading import DeviceId

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from device_sims.faults import Faults
    from gateway.codecs.cgm import Annunciation

INTERVAL_MIN = 5
RUN_TIME_H = 336
FEATURES = Feature.LOW_BATTERY | Feature.TREND
INTERSTITIAL, UNDER_THE_SKIN = 9, 5
BATTERY_PERCENT = 76
_MINUTE_S = 60.0
_GAP_S = 0.03
"""Between two packets of the memory."""
_IN_A_PACKET = 2
"""Records of the memory that go into one notification."""


class Cgm:
    """The sensor as a radio sees it (`device_sims.link.Radio`)."""

    kind = DeviceKind.CGM
    firmware = "3.0.1"

    def __init__(
        self,
        serial: str,
        glucose_mg_dl: Sequence[float | None],
        clock: datetime,
        *,
        near_from_s: float = 0.0,
        crc: CrcVariant | None = CrcVariant.MCRF4XX,
        knows_time: bool = True,
        states: Sequence[tuple[int, Annunciation]] = (),
        run_time_h: int = RUN_TIME_H,
        future: Sequence[float | None] = (),
        faults: Faults = iter,
    ) -> None:
        """`clock` is the sensor's (with its zone) when the world begins; `glucose_mg_dl` what it has measured by then.

        `future`: what it will measure, one each interval; then it stays. `states`: from which minute of its session on
        it says what of itself.
        """
        self.device = DeviceId(serial)
        self._values = [*glucose_mg_dl, *future]
        self._worn_min = INTERVAL_MIN * len(glucose_mg_dl)
        self._near_from_s = near_from_s
        self._crc = crc
        self._states = sorted(states, key=lambda state: state[0])
        self._run_time_h = run_time_h
        self._faults = faults
        offset = clock.utcoffset() or timedelta()
        began = clock - timedelta(minutes=self._worn_min)
        self._start = cgm_sensor.session_start_of(began.replace(tzinfo=None), offset, crc) if knows_time else None
        self._asked: list[CgmRecord] | None = None
        """What is still to be told of the memory; None: nobody asked."""

    def reachable_at(self, now_s: float) -> float | None:
        """As soon as its wearer is near."""
        return max(now_s, self._near_from_s)

    def connected(self, now_s: float) -> list[Notification]:
        """What is read from it at once. A request of the connection before is forgotten."""
        self._asked = None
        return [Notification(at_s=now_s, characteristic=uuid, data=data) for uuid, data in self.reads(now_s).items()]

    def reads(self, now_s: float) -> dict[str, bytes]:
        """Firmware, battery, and what it says of itself and its session."""
        features = FEATURES | (Feature.E2E_CRC if self._crc else Feature(0))
        told = Features(features=features, kind=INTERSTITIAL, location=UNDER_THE_SKIN, crc=self._crc)
        start = self._start or cgm_sensor.SessionStart(
            time=DeviceTime(year=0, month=0, day=0, hour=0, minute=0, second=0),
            zone_min=None,
            dst_min=None,
            crc=self._crc,
        )
        minute = self._minute(now_s)
        stands = SensorStatus(offset_min=minute, annunciation=self._state(minute), crc=self._crc)
        return {
            battery.FIRMWARE: self.firmware.encode(),
            battery.LEVEL: battery.encode(BATTERY_PERCENT),
            cgm_sensor.FEATURE: cgm_sensor.encode_features(told),
            cgm_sensor.RUN_TIME: cgm_sensor.encode_run_time(RunTime(hours=self._run_time_h, crc=self._crc)),
            cgm_sensor.SESSION_START: cgm_sensor.encode_session_start(start),
            cgm_sensor.STATUS: cgm_sensor.encode_status(stands),
        }

    def written(self, characteristic: str, data: bytes, now_s: float) -> list[Notification]:
        """Its answer to a command; records that were asked for come in its stream.

        Raises:
            LinkLost: it takes no such write.
        """
        try:
            match characteristic:
                case record_access.CONTROL:
                    return self._access(data, now_s)
                case cgm_sensor.CONTROL:
                    return self._control(cgm_sensor.decode_control(data), now_s)
                case cgm_sensor.SESSION_START if self._start is None:
                    self._set_clock(data, now_s)
                    return []
        except MalformedPacket as error:
            raise LinkLost(f"the sensor refuses a write to {characteristic}: {error}") from error
        raise LinkLost(f"a glucose sensor refuses a write to {characteristic}")

    def stream(self, from_s: float) -> Iterator[Notification]:
        """What was asked of its memory, then what it measures from now on, for ever."""
        return self._faults(self._told(from_s))

    def record(self, number: int) -> CgmRecord:
        """What it measured at the end of interval `number`, from 1."""
        minute = number * INTERVAL_MIN
        value, before = self._value(number), self._value(number - 1) if number > 1 else None
        trend = None if value is None or before is None else (value - before) / INTERVAL_MIN
        return CgmRecord(
            mg_dl=value,
            offset_min=minute,
            annunciation=self._state(minute),
            trend_mg_dl_min=trend,
            crc=self._crc,
        )

    def _told(self, from_s: float) -> Iterator[Notification]:
        at_s = from_s
        while self._asked:
            some, at_s = self._asked[:_IN_A_PACKET], at_s + _GAP_S
            yield Notification(at_s=at_s, characteristic=cgm.MEASUREMENT, data=cgm.encode(*some))
            # Counted as told once it is taken; a new stream of the same connection goes on here.
            if self._asked:
                self._asked = self._asked[len(some) :]
        if self._asked is not None:
            self._asked = None
            yield self._done(Result.SUCCESS, at_s)
        number = self._minute(at_s) // INTERVAL_MIN + 1
        while True:
            at_s = max((number * INTERVAL_MIN - self._worn_min) * _MINUTE_S, at_s)
            yield Notification(at_s=at_s, characteristic=cgm.MEASUREMENT, data=cgm.encode(self.record(number)))
            number += 1

    def _access(self, data: bytes, now_s: float) -> list[Notification]:
        asked = record_access.decode(data)
        if not isinstance(asked, record_access.Request):
            raise LinkLost("the sensor is not told answers")
        there = [self.record(number) for number in range(1, self._minute(now_s) // INTERVAL_MIN + 1)]
        from_min = record_access.number_of(asked)
        wanted = [record for record in there if from_min is None or record.offset_min >= from_min]
        is_known = from_min is not None or asked.operator == Operator.ALL
        if asked.op == OpCode.ABORT:
            self._asked = None
            return [self._done(Result.SUCCESS, now_s, OpCode.ABORT)]
        if asked.op not in (OpCode.REPORT, OpCode.COUNT) or not is_known:
            result = Result.OP_CODE_NOT_SUPPORTED if is_known else Result.OPERATOR_NOT_SUPPORTED
            return [self._done(result, now_s, asked.op)]
        if asked.op == OpCode.COUNT:
            counted = record_access.encode(record_access.Counted(records=len(wanted)))
            return [Notification(at_s=now_s, characteristic=record_access.CONTROL, data=counted)]
        if not wanted:
            return [self._done(Result.NO_RECORDS, now_s)]
        self._asked = wanted
        return []

    def _done(self, result: Result, at_s: float, op: int = OpCode.REPORT) -> Notification:
        data = record_access.encode(record_access.Done(op=op, result=result))
        return Notification(at_s=at_s, characteristic=record_access.CONTROL, data=data)

    def _control(self, asked: ControlPoint, now_s: float) -> list[Notification]:
        if asked.op == Op.GET_INTERVAL:
            answer = ControlPoint(op=Op.INTERVAL, operand=bytes((INTERVAL_MIN,)), crc=self._crc)
        else:
            # It measures every five minutes whatever it is told, and nobody ends a session from afar.
            answer = ControlPoint(op=Op.RESPONSE, operand=bytes((asked.op, 2)), crc=self._crc)
        data = cgm_sensor.encode_control(answer)
        return [Notification(at_s=now_s, characteristic=cgm_sensor.CONTROL, data=data)]

    def _set_clock(self, data: bytes, now_s: float) -> None:
        told = cgm_sensor.decode_session_start(data)
        local, offset = told.time.known, told.utc_offset()
        if local is None or offset is None:
            raise LinkLost("the sensor refuses an unknown time as its clock")
        began = local - timedelta(minutes=self._minute(now_s))
        self._start = cgm_sensor.session_start_of(began, offset, self._crc)

    def _minute(self, now_s: float) -> int:
        return self._worn_min + int(now_s // _MINUTE_S)

    def _value(self, number: int) -> float | None:
        return self._values[min(number, len(self._values)) - 1]

    def _state(self, minute: int) -> Annunciation:
        return next((state for from_min, state in reversed(self._states) if from_min <= minute), NOTHING)
