"""What goes wrong between a skin and a gateway, as pure transformers.

Over a wave: what the electrode sees. Over notifications: what the radio delivers. The same seed makes the same faults,
and no fault changes more than it says.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from gateway.codecs import battery, blood_pressure, date_time, polar_pmd
from gateway.codecs.characteristics import decoder_of
from gateway.codecs.malformed import MalformedPacket
from gateway.reading import MISSING_SAMPLE, SATURATED_SAMPLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from device_sims.notification import Notification
    from device_sims.player import Wave

    Faults = Callable[[Iterable[Notification]], Iterator[Notification]]


def lead_off(wave: Wave, from_s: float, to_s: float) -> Wave:
    """The electrode is off between the two moments: nothing was measured."""
    samples = wave.samples.copy()
    samples[_samples_between(wave, from_s, to_s)] = MISSING_SAMPLE
    return replace(wave, samples=samples)


def noise(wave: Wave, from_s: float, to_s: float, microvolts: float, seed: int) -> Wave:
    """White noise of this standard deviation lies over the wave there; missing samples stay missing."""
    here = _samples_between(wave, from_s, to_s)
    samples = wave.samples.astype(np.float64)
    samples[here] += np.random.default_rng(seed).normal(0.0, microvolts, len(samples[here]))
    noisy = np.clip(np.rint(samples), -SATURATED_SAMPLE, SATURATED_SAMPLE).astype(np.int16)
    noisy[wave.samples == MISSING_SAMPLE] = MISSING_SAMPLE
    return replace(wave, samples=noisy)


def link_loss(stream: Iterable[Notification], from_s: float, to_s: float) -> Iterator[Notification]:
    """Nothing is heard between the two moments; a strap keeps nothing, so it never comes."""
    return (said for said in stream if not from_s <= said.at_s < to_s)


class LinkLossBefore:
    """The link breaks off before these notifications, counted from 0 over all connections (battery levels are not).

    To be handed to a device as its `faults`: a device that keeps what nobody confirmed tells it again, others do not.
    """

    def __init__(self, *numbers: int) -> None:
        self._numbers = set(numbers)
        self.said = 0
        """How many have got through."""

    def __call__(self, stream: Iterable[Notification]) -> Iterator[Notification]:
        """The stream, as far as the link carries it; a loss that came to pass is not told again."""
        for said in stream:
            if said.characteristic != battery.LEVEL and self.said in self._numbers:
                yield replace(said, lost=True)
                self._numbers.discard(self.said)
                return
            yield said
            self.said += said.characteristic != battery.LEVEL


def stalled(stream: Iterable[Notification], after: int, for_s: float) -> Iterator[Notification]:
    """After so many notifications the device is silent for `for_s` seconds, with the link up; then it goes on."""
    for number, said in enumerate(stream):
        yield said if number < after else replace(said, at_s=said.at_s + for_s)


def duplicated(stream: Iterable[Notification], share: float, seed: int) -> Iterator[Notification]:
    """That share of the notifications comes twice, as after a reconnect."""
    random = Random(seed)  # noqa: S311 - faults, not secrets
    for said in stream:
        yield said
        if random.random() < share:
            yield said


def reordered(stream: Iterable[Notification], share: float, seed: int) -> Iterator[Notification]:
    """That share of the notifications arrives after its successor; nothing is lost, `at_s` never goes back."""
    random = Random(seed)  # noqa: S311 - faults, not secrets
    held: Notification | None = None
    for said in stream:
        if held is not None:
            yield said
            yield replace(held, at_s=said.at_s)
            held = None
        elif random.random() < share:
            held = said
        else:
            yield said
    if held is not None:
        yield held


def clock_jump(stream: Iterable[Notification], at_s: float, by_s: float) -> Iterator[Notification]:
    """From `at_s` on the device's own clock is `by_s` seconds further (behind, if negative): ECG frames, readings."""
    for said in stream:
        if said.at_s >= at_s:
            # What is no packet has no clock in it either.
            with contextlib.suppress(MalformedPacket):
                said = replace(said, data=_moved(said, by_s))  # noqa: PLW2901
        yield said


def garbage(stream: Iterable[Notification], share: float, seed: int) -> Iterator[Notification]:
    """Before that share of the notifications a broken one comes on the same characteristic: cut short, or random bytes.

    No codec can read a broken one, and the good ones all follow: whatever is missing afterwards, the receiver lost.
    """
    random = Random(seed)  # noqa: S311 - faults, not secrets
    for said in stream:
        if random.random() < share:
            cut_short = random.choice((True, False))
            length = random.randrange(len(said.data) if cut_short else 64)
            broken = said.data[:length] if cut_short else random.randbytes(length)
            if _is_broken(said.characteristic, broken):
                yield replace(said, data=broken)
        yield said


def _is_broken(characteristic: str, data: bytes) -> bool:
    try:
        decoder_of(characteristic)(data)
    except MalformedPacket:
        return True
    # Bytes that happen to be a packet are no garbage; neither are those of a characteristic that means anything.
    return False


def _samples_between(wave: Wave, from_s: float, to_s: float) -> slice:
    return slice(max(round(from_s * wave.rate_hz), 0), max(round(to_s * wave.rate_hz), 0))


def _moved(said: Notification, by_s: float) -> bytes:
    match said.characteristic:
        case polar_pmd.DATA:
            frame = polar_pmd.decode(said.data)
            return polar_pmd.encode(max(frame.last_sample_ns + round(by_s * 1e9), 0), frame.microvolts)
        case blood_pressure.MEASUREMENT:
            pressure = blood_pressure.decode(said.data)
            shown = pressure.time.known if pressure.time else None
            if shown is None:
                return said.data
            return blood_pressure.encode(replace(pressure, time=date_time.of(shown + timedelta(seconds=by_s))))
        case _:
            return said.data
