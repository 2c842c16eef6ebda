"""A virtual glucose meter: it keeps numbered records by its own clock and tells those that are asked for. No link, no clock.

Records are asked for by 2A52 and come as 2A18; nobody can delete one here, as nobody of ours ever asks. The bytes are
put together by hand (Glucose Profile 1.0, 3.1 of the service), so that the gateway's codec meets another pen than its own.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from device_sims.link import Busy
from device_sims.notification import Notification
from gateway.codecs import battery, date_time, record_access, sfloat
from gateway.codecs.malformed import MalformedPacket
from gateway.codecs.record_access import OpCode, Operator, Result
from gateway.link import LinkLost
from gateway.reading import DeviceId

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from device_sims.faults import Faults

MEASUREMENT, FEATURE = "2A18", "2A51"
CURRENT_TIME = "2A2B"
CAPILLARY_WHOLE_BLOOD, FINGER = 1, 1
CONTROL_SOLUTION, NO_PLACE = 10, 4
SEQ_MODULO = 0x10000
FEATURES = bytes.fromhex("0004")
"""2A51: time fault."""

_HAS_OFFSET, _HAS_VALUE, _IN_MOL_L, _HAS_STATUS = 1, 2, 4, 8
_KG_L, _MOL_L = -5, -5
"""Exponents of the SFLOAT: 1e-5 kg/L is 1 mg/dL, 1e-5 mol/L is 0.01 mmol/L."""
_GAP_S = 0.03
_BY_NUMBER = 1
"""The filter of a request that names sequence numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """One test strip's result."""

    seq: int
    shown: datetime
    """What the meter's display showed as time and date."""
    glucose: float | None
    """In the meter's own unit; None: the strip failed."""
    offset_min: int | None = None
    """How far somebody had set the display from the meter's base time."""
    is_control: bool = False
    """Control solution: it is no blood."""
    status: int = 0
    """2A18's status word, as bit 0, battery low."""


def packet(strip: Strip, *, mmol: bool = False) -> bytes:
    """2A18 for one record; `mmol`: the meter shows mmol/L, else mg/dL."""
    flags = _HAS_VALUE if strip.glucose is not None else 0
    flags |= _IN_MOL_L if mmol else 0
    flags |= _HAS_OFFSET if strip.offset_min is not None else 0
    flags |= _HAS_STATUS if strip.status else 0
    base = strip.shown - timedelta(minutes=strip.offset_min or 0)
    said = struct.pack("<BH", flags, strip.seq) + date_time.encode(date_time.of(base))
    if strip.offset_min is not None:
        said += struct.pack("<h", strip.offset_min)
    if strip.glucose is not None:
        value = sfloat.encode(strip.glucose * 1e-3, _MOL_L) if mmol else sfloat.encode(strip.glucose * 1e-5, _KG_L)
        kind, place = (CONTROL_SOLUTION, NO_PLACE) if strip.is_control else (CAPILLARY_WHOLE_BLOOD, FINGER)
        said += struct.pack("<HB", value, place << 4 | kind)
    return said + (struct.pack("<H", strip.status) if strip.status else b"")


class Meter:
    """The meter as the air sees it (`device_sims.link.Wearable`)."""

    firmware = "2.4"

    def __init__(
        self,
        serial: str,
        strips: Iterable[Strip],
        clock: datetime,
        *,
        mmol: bool = False,
        battery_percent: int = 90,
        faults: Faults = iter,
    ) -> None:
        """`strips` oldest first: sequence numbers wrap. `clock` is what its display shows when the world begins."""
        self.device = DeviceId(serial)
        self.strips = list(strips)
        self._clock = clock.replace(tzinfo=None)
        self._mmol = mmol
        self._battery_percent = battery_percent
        self._faults = faults
        self._asked: list[Strip] | None = None
        """What is still to be told; None: nobody asked."""

    def reachable_at(self, now_s: float) -> float:
        """Always: its button is held."""
        return now_s

    def connected(self, now_s: float) -> list[Notification]:
        """What is read from it at once. A request of the connection before is forgotten."""
        self._asked = None
        return [Notification(at_s=now_s, characteristic=uuid, data=data) for uuid, data in self.reads(now_s).items()]

    def reads(self, now_s: float) -> dict[str, bytes]:
        """Firmware, battery, features, and what its display shows."""
        shown = date_time.current_time_of(self._clock + timedelta(seconds=now_s))
        return {
            battery.FIRMWARE: self.firmware.encode(),
            battery.LEVEL: battery.encode(self._battery_percent),
            FEATURE: FEATURES,
            CURRENT_TIME: date_time.encode_current_time(shown),
        }

    def written(self, characteristic: str, data: bytes, now_s: float) -> list[Notification]:
        """Its answer to a request; records that were asked for come in its stream.

        Raises:
            Busy: it is telling already, and was not told to stop.
            LinkLost: it takes no such write.
        """
        if characteristic != record_access.CONTROL:
            raise LinkLost(f"a meter refuses a write to {characteristic}")
        try:
            asked = record_access.decode(data)
        except MalformedPacket:
            return [_done(Result.OP_CODE_NOT_SUPPORTED, now_s, data[0] if data else 0)]
        if not isinstance(asked, record_access.Request):
            raise LinkLost("a meter is not told answers")
        if asked.op == OpCode.ABORT:
            self._asked = None
            return [_done(Result.SUCCESS, now_s, OpCode.ABORT)]
        if self._asked is not None:
            raise Busy(f"{self.device} is telling its records")
        return self._answers(asked, now_s)

    def stream(self, from_s: float) -> Iterator[Notification]:
        """What was asked for, and that it was all; then it waits for the next word."""
        return self._faults(self._told(from_s))

    def _told(self, from_s: float) -> Iterator[Notification]:
        at_s = from_s
        while self._asked:
            at_s += _GAP_S
            data = packet(self._asked[0], mmol=self._mmol)
            yield Notification(at_s=at_s, characteristic=MEASUREMENT, data=data)
            if self._asked:
                self._asked = self._asked[1:]
        if self._asked is not None:
            self._asked = None
            yield _done(Result.SUCCESS, at_s)
        # It stays until the other side hangs up; a level that nobody listens to costs nothing.
        while True:
            at_s += 60.0
            yield Notification(at_s=at_s, characteristic=battery.LEVEL, data=battery.encode(self._battery_percent))

    def _answers(self, asked: record_access.Request, now_s: float) -> list[Notification]:
        if asked.op not in (OpCode.REPORT, OpCode.COUNT):
            return [_done(Result.OP_CODE_NOT_SUPPORTED, now_s, asked.op)]
        wanted = self._wanted(asked)
        if wanted is None:
            return [_done(Result.OPERATOR_NOT_SUPPORTED, now_s, asked.op)]
        if asked.op == OpCode.COUNT:
            counted = record_access.encode(record_access.Counted(records=len(wanted)))
            return [Notification(at_s=now_s, characteristic=record_access.CONTROL, data=counted)]
        if not wanted:
            return [_done(Result.NO_RECORDS, now_s)]
        self._asked = wanted
        return []

    def _wanted(self, asked: record_access.Request) -> list[Strip] | None:
        """The records that a request names; None: it names them in a way that this meter does not know."""
        match asked.operator, asked.operand:
            case Operator.ALL, b"":
                return list(self.strips)
            case Operator.FIRST, b"":
                return self.strips[:1]
            case Operator.LAST, b"":
                return self.strips[-1:]
            case Operator.FROM, bytes(operand) if len(operand) == 3 and operand[0] == _BY_NUMBER:  # noqa: PLR2004
                number = record_access.number_of(asked)
                return [strip for strip in self.strips if number is not None and strip.seq >= number]
        return None


def _done(result: Result, at_s: float, op: int = OpCode.REPORT) -> Notification:
    data = record_access.encode(record_access.Done(op=op, result=result))
    return Notification(at_s=at_s, characteristic=record_access.CONTROL, data=data)
