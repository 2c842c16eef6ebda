"""A virtual Polar H10: what the strap says over the air for a wave on the skin. Bytes and moments, no link, no clock.

It measures at its true 130.17 Hz (not the 130 of the data sheet), counts nanoseconds from 2000 by its own clock, dates
a frame by its last sample, streams ECG only when told to, and forgets that with the link.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from device_sims.notification import Notification
from device_sims.player import Wave, resampled
from gateway.codecs import battery, heart_rate, polar_pmd
from gateway.link import DeviceKind, LinkLost
from gateway.reading import MISSING_SAMPLE, DeviceId

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from device_sims.faults import Faults

TRUE_RATE_HZ = 130.17
SAMPLES_A_FRAME = 73
"""What fits into one notification at the MTU that straps and BlueZ agree on."""
SMALLEST_MTU = 70
"""Below it the strap refuses to stream ECG."""
RAIL_UV = 20_000
"""What the strap's converter shows without skin under it: int24 frames have no word for "missing"."""
FIRMWARE = "5.0.0"
FEATURES = bytes.fromhex("0F05") + bytes(15)

_BATTERY_EVERY_S = 60.0
_HEAD_BYTES = 13
"""Of a notification (3) and of a frame (10), before the samples of 3 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strap:
    """One H10 around one chest: what never changes while it is worn."""

    wave: Wave
    """At the strap's own rate: see `worn`."""
    beats_s: NDArray[np.float64]
    """R peaks as the strap finds them, seconds from the wave's first sample."""
    clock_ns: int
    """The strap's own clock (ns since 2000, by its own reckoning) at the wave's first sample."""
    battery_percent: int
    loops: bool
    """Whether the wave begins anew at its end, or the strap falls silent."""


def worn(
    wave: Wave, clock_ns: int, *, rate_hz: float = TRUE_RATE_HZ, battery_percent: int = 87, loops: bool = True
) -> Strap:
    """A strap over this wave, measuring at its own rate."""
    own = resampled(wave, rate_hz)
    beats_s = _peaks(own)
    return Strap(wave=own, beats_s=beats_s, clock_ns=clock_ns, battery_percent=battery_percent, loops=loops)


def ecg_frames(strap: Strap, from_s: float = 0.0, size: int = SAMPLES_A_FRAME) -> Iterator[Notification]:
    """PMD frames of `size` samples, said when their last sample was measured; the first begins at or after `from_s`."""
    rate_hz, length = strap.wave.rate_hz, len(strap.wave.samples)
    first = int(np.ceil(from_s * rate_hz))
    while length and (strap.loops or first + size <= length):
        samples = strap.wave.samples[np.arange(first, first + size) % length].astype(np.int32)
        samples[samples == MISSING_SAMPLE] = RAIL_UV
        last_s = (first + size - 1) / rate_hz
        data = polar_pmd.encode(strap.clock_ns + round(last_s * 1e9), samples.tolist())
        yield Notification(at_s=last_s, characteristic=polar_pmd.DATA, data=data)
        first += size


def heart_rates(strap: Strap, from_s: float = 0.0) -> Iterator[Notification]:
    """Each second: the rate over the last beats, the contact, and the intervals that ended in that second.

    Nothing before the first two beats: a strap that knows no rate does not say 0.
    """
    seconds = strap.wave.seconds
    second = int(from_s) + 1
    while seconds and (strap.loops or second <= seconds):
        within = (second - 1) % seconds
        known = strap.beats_s[strap.beats_s < within + 1]
        intervals = np.diff(known[-6:])
        if len(intervals):
            new = min(int(np.count_nonzero(known >= within)), len(intervals))
            ticks = [min(round(interval * 1024), 0xFFFF) for interval in intervals[len(intervals) - new :].tolist()]
            here = min(int((within + 1) * strap.wave.rate_hz), len(strap.wave.samples)) - 1
            said = heart_rate.HeartRate(
                rate_bpm=round(60.0 / float(np.mean(intervals))),
                contact=bool(strap.wave.samples[here] != MISSING_SAMPLE),
                rr_1024=tuple(ticks),
            )
            data = heart_rate.encode(said)
            yield Notification(at_s=float(second), characteristic=heart_rate.MEASUREMENT, data=data)
        second += 1


class H10:
    """The strap as a radio sees it: it answers commands and streams (`device_sims.link.Radio`)."""

    kind = DeviceKind.H10
    firmware = FIRMWARE

    def __init__(self, serial: str, strap: Strap, faults: Faults = iter) -> None:
        """`faults` wraps all that the strap says: see `device_sims.faults`."""
        self.device = DeviceId(serial)
        self._strap = strap
        self._faults = faults
        self._streams_ecg = False
        self.att_mtu = 247
        """What the connection carries: it decides how many samples go into a frame."""

    def reachable_at(self, now_s: float) -> float | None:
        """A strap that is worn is always there; one whose wave has ended, never again."""
        return now_s if self._strap.loops or now_s < self._strap.wave.seconds else None

    def connected(self, now_s: float) -> list[Notification]:
        """What is read from it at once; ECG must be asked for again."""
        self._streams_ecg = False
        return [Notification(at_s=now_s, characteristic=battery.FIRMWARE, data=FIRMWARE.encode())]

    def reads(self, now_s: float) -> dict[str, bytes]:  # noqa: ARG002 - a strap always reads the same
        """Firmware, battery, and on the control characteristic what it can measure: ECG and acceleration."""
        return {
            battery.FIRMWARE: FIRMWARE.encode(),
            battery.LEVEL: battery.encode(self._strap.battery_percent),
            polar_pmd.CONTROL: FEATURES,
        }

    def written(self, characteristic: str, data: bytes, now_s: float) -> list[Notification]:
        """Its answer to a command.

        Raises:
            LinkLost: it has no such characteristic to write to.
        """
        if characteristic != polar_pmd.CONTROL:
            raise LinkLost(f"an H10 refuses a write to {characteristic}")
        operation, measurement = (*data[:2], 0, 0)[:2]
        status = polar_pmd.ControlStatus.SUCCESS
        if data == polar_pmd.START_ECG and self.att_mtu < SMALLEST_MTU:
            status = polar_pmd.ControlStatus.INVALID_MTU
        elif data == polar_pmd.START_ECG:
            status = polar_pmd.ControlStatus.ALREADY_IN_STATE if self._streams_ecg else status
            self._streams_ecg = True
        elif data == polar_pmd.STOP_ECG:
            self._streams_ecg = False
        else:
            status = polar_pmd.ControlStatus.NOT_SUPPORTED
        answer = polar_pmd.encode_answer(polar_pmd.ControlAnswer(op=operation, measurement=measurement, status=status))
        return [Notification(at_s=now_s, characteristic=polar_pmd.CONTROL, data=answer)]

    def stream(self, from_s: float) -> Iterator[Notification]:
        """What it says by itself from then on, in its present state; ends when the strap falls silent for good."""
        parts = [heart_rates(self._strap, from_s), _batteries(self._strap, from_s)]
        if self._streams_ecg:
            parts.append(ecg_frames(self._strap, from_s, min((self.att_mtu - _HEAD_BYTES) // 3, SAMPLES_A_FRAME)))
        return self._faults(heapq.merge(*parts, key=lambda said: said.at_s))


def _batteries(strap: Strap, from_s: float) -> Iterator[Notification]:
    at_s = from_s
    while strap.loops or at_s <= strap.wave.seconds:
        yield Notification(at_s=at_s, characteristic=battery.LEVEL, data=battery.encode(strap.battery_percent))
        at_s += _BATTERY_EVERY_S


def _peaks(wave: Wave) -> NDArray[np.float64]:
    """R peaks by steepness and distance: as crude as a strap's own counting; the product never takes them for truth."""
    from scipy.signal import butter, find_peaks, sosfiltfilt

    shape = np.where(wave.samples == MISSING_SAMPLE, 0, wave.samples).astype(np.float64)
    if len(shape) < wave.rate_hz:
        return np.empty(0)
    steep = np.abs(sosfiltfilt(butter(2, (8, 30), "bandpass", fs=wave.rate_hz, output="sos"), shape))
    tall = 0.45 * float(np.percentile(steep, 98.5))
    places, _ = find_peaks(steep, height=max(tall, 1.0), distance=round(0.27 * wave.rate_hz))
    return np.asarray(places, dtype=np.float64) / wave.rate_hz
