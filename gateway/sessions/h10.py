"""The conversation with a Polar H10: start its ECG stream, read ECG, heart rate and battery.

Pure. ECG goes out frame by frame (the first 2 s of a session are held until the rate is measured); heart rate once in
10 s with all RR intervals since, because the rhythm is judged on the ECG. Stops the stream before it leaves.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gateway.codecs import battery, heart_rate, polar_pmd
from gateway.link import Write
from gateway.reading import (
    MISSING_SAMPLE,
    SATURATED_SAMPLE,
    AtSource,
    EcgChunk,
    Flag,
    LinkState,
    Reading,
    ReadingKind,
    StreamName,
)
from gateway.sessions.ecg_timeline import EcgTimeline, Heard, Placed
from gateway.sessions.session import UNNUMBERED, Draft, Moment, Step, battery_level, moment_of, status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.link import Packet
    from gateway.reading import DeviceId

ECG_STREAM = StreamName("ecg/I")
HEART_RATE_STREAM = StreamName("heart_rate")
LEAD = "I"
HEART_RATE_EVERY_NS = 10_000_000_000
_DEVICE_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def saturated(microvolts: Sequence[int]) -> tuple[bytes, int]:
    """Samples as int16 little-endian, and how many had to be cut; -32768 is kept for "missing"."""
    low, high = MISSING_SAMPLE + 1, SATURATED_SAMPLE
    clipped = sum(1 for value in microvolts if not low <= value <= high)
    kept = [min(high, max(low, value)) for value in microvolts] if clipped else microvolts
    return struct.pack(f"<{len(kept)}h", *kept), clipped


class H10Session:
    """One strap, over all its connections."""

    def __init__(self, device: DeviceId) -> None:
        self._device = device
        self._timeline = EcgTimeline(device, polar_pmd.NOMINAL_RATE_HZ)
        self._connection = ""
        self._contact: bool | None = None
        self._battery: int | None = None
        self._firmware: str | None = None
        self._rr: list[int] = []
        self._rate_bpm = 0
        self._heart_count = 0
        self._heart_due_ns: int | None = None

    def start(self, now: Moment, connection: str) -> Step:
        """Link up; ECG on."""
        self._connection = connection
        self._heart_count = 0
        self._battery = None
        writes = (Write(characteristic=polar_pmd.CONTROL, data=polar_pmd.START_ECG),)
        return Step(drafts=(status(self._device, now, link=LinkState.UP),), writes=writes)

    def stop(self) -> tuple[Write, ...]:
        """A strap whose stream is left on runs flat."""
        return (Write(characteristic=polar_pmd.CONTROL, data=polar_pmd.STOP_ECG, may_fail=True),)

    def lost(self, now: Moment) -> Step:
        """What was held comes out; then the link is down."""
        drafts = [draft for placed in self._timeline.flush() for draft in self._ecg(placed)]
        if self._heart_due_ns is not None:
            drafts.append(self._heart(now))
        return Step(drafts=(*drafts, status(self._device, now, link=LinkState.DOWN)))

    def packet(self, packet: Packet) -> Step:
        """ECG frame, heart rate, battery, firmware or an answer of the strap; others are ignored."""
        match packet.characteristic:
            case polar_pmd.DATA:
                return self._frame(packet)
            case heart_rate.MEASUREMENT:
                return self._beat(packet)
            case battery.LEVEL:
                return self._level(packet)
            case battery.FIRMWARE:
                return self._version(packet)
            case polar_pmd.CONTROL:
                return self._answer(packet)
        return Step()

    def _frame(self, packet: Packet) -> Step:
        frame = polar_pmd.decode(packet.data)
        heard = Heard(
            last_ns=frame.last_sample_ns,
            samples=frame.microvolts,
            moment=moment_of(packet),
            contact=self._contact is not False,
        )
        return Step(drafts=tuple(draft for placed in self._timeline.frame(heard) for draft in self._ecg(placed)))

    def _ecg(self, placed: Placed) -> list[Draft]:
        heard = placed.heard
        samples, clipped = saturated(heard.samples)
        before = timedelta(microseconds=(placed.first_monotonic_ns - heard.moment.monotonic_ns) / 1000)
        chunk = EcgChunk(
            device=self._device,
            stream=ECG_STREAM,
            seq=UNNUMBERED,
            session=placed.session,
            index=placed.index,
            at=heard.moment.at + before,
            rate_hz=placed.rate_hz,
            lead=LEAD,
            samples=samples,
            clipped=clipped,
            contact=heard.contact,
            received_at=heard.moment.at,
        )
        draft = Draft(event=chunk, heard_monotonic_ns=heard.moment.monotonic_ns, device_time=str(heard.last_ns))
        if placed.opens is None:
            return [draft]
        clock = _DEVICE_EPOCH + timedelta(microseconds=heard.last_ns / 1000)
        # Not as `clock_offset_s`: a strap's clock starts anywhere, and dates nothing.
        offset_s = round((clock - heard.moment.at).total_seconds(), 3)
        note = f"ECG session begins at {placed.rate_hz} Hz: {placed.opens}; the strap's clock stands {offset_s} s apart"
        return [status(self._device, heard.moment, note=note), draft]

    def _beat(self, packet: Packet) -> Step:
        beat = heart_rate.decode(packet.data)
        now = moment_of(packet)
        drafts: list[Draft] = []
        if beat.contact is not None and beat.contact is not self._contact:
            self._contact = beat.contact
            drafts.append(status(self._device, now, contact=beat.contact))
        self._rr += beat.rr_1024
        self._rate_bpm = beat.rate_bpm
        if self._heart_due_ns is None:
            self._heart_due_ns = now.monotonic_ns + HEART_RATE_EVERY_NS
        elif now.monotonic_ns >= self._heart_due_ns:
            drafts.append(self._heart(now))
        return Step(drafts=tuple(drafts))

    def _heart(self, now: Moment) -> Draft:
        """One reading over what was heard since the last; a strap has no clock, so a count stands in for it."""
        self._heart_count += 1
        values = (float(self._rate_bpm) or None, *(round(rr / heart_rate.RR_UNITS_PER_S, 6) for rr in self._rr))
        reading = Reading(
            device=self._device,
            stream=HEART_RATE_STREAM,
            seq=UNNUMBERED,
            kind=ReadingKind.HEART_RATE,
            values=values,
            at=now.at,
            device_time=str(self._heart_count),
            connection=self._connection,
            flags=(Flag.NO_CONTACT,) if self._contact is False else (),
            received_at=now.at,
            at_source=AtSource.ARRIVAL,
        )
        self._rr = []
        self._heart_due_ns = None
        return Draft(event=reading, heard_monotonic_ns=now.monotonic_ns, device_time=reading.device_time)

    def _level(self, packet: Packet) -> Step:
        self._battery, step = battery_level(self._device, packet, self._battery)
        return step

    def _version(self, packet: Packet) -> Step:
        firmware = battery.decode_text(packet.data)
        if firmware == self._firmware:
            return Step()
        self._firmware = firmware
        return Step(drafts=(status(self._device, moment_of(packet), firmware=firmware),))

    def _answer(self, packet: Packet) -> Step:
        answer = polar_pmd.decode_control(packet.data)
        good = (polar_pmd.ControlStatus.SUCCESS, polar_pmd.ControlStatus.ALREADY_IN_STATE)
        if isinstance(answer, polar_pmd.Features) or answer.status in good:
            return Step()
        note = f"strap refused command {answer.op} with status {answer.status}"
        return Step(drafts=(status(self._device, moment_of(packet), note=note),))
