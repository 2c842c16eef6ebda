"""Which devices `tierwatch sims radio` puts on the air, by name: what they hold, and how they pair."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from device_sims.cgm import Cgm
from device_sims.cuff import Cuff, Measurement
from device_sims.h10 import H10, worn
from device_sims.meter import Meter, Strip
from device_sims.oximeter import Finger, Oximeter
from device_sims.radio import gatt_profile
from device_sims.radio.pairing import Pairing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from device_sims.link import Wearable
    from device_sims.player import Wave
    from device_sims.radio.gatt_profile import Profile

_STRAP_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MEASURES_EVERY_S, _MEASUREMENTS = 120.0, 300
_STRIPS, _MEALS_APART = 12, timedelta(hours=5)
_GLUCOSE = (104.0, 148.0, 92.0, 171.0, 118.0)
_SENSED = tuple(100.0 + 6.0 * (each % 12) for each in range(36))


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One device, and how it pairs."""

    make: Callable[[Wave, datetime], Wearable]
    """From the wave under the electrode, and the time."""
    profile: Profile
    pairing: Pairing = Pairing.JUST_WORKS


def _strap(serial: str) -> Callable[[Wave, datetime], H10]:
    return lambda wave, now: H10(serial, worn(wave, round((now - _STRAP_EPOCH).total_seconds() * 1e9)))


def _cuff(serial: str) -> Callable[[Wave, datetime], Cuff]:
    """Two people measure in turn; what was measured before it was found is held."""
    measured = [
        Measurement(
            at_s=turn * _MEASURES_EVERY_S,
            slot=turn % 2 + 1,
            systolic_mmhg=128 + 5 * (turn % 3),
            diastolic_mmhg=82 + 2 * (turn % 3),
            pulse_bpm=68,
        )
        for turn in range(_MEASUREMENTS)
    ]
    return lambda _, now: Cuff(serial, measured, now)


def _strips(now: datetime) -> list[Strip]:
    shown = now.replace(tzinfo=None)
    return [
        Strip(seq=turn, shown=shown - (_STRIPS - turn) * _MEALS_APART, glucose=_GLUCOSE[turn % len(_GLUCOSE)])
        for turn in range(_STRIPS)
    ]


OFFERED: Mapping[str, Offer] = {
    "h10": Offer(make=_strap("H10-0A1B2C3D"), profile=gatt_profile.H10),
    "belt": Offer(make=_strap("HRB-1001"), profile=gatt_profile.HEART_RATE),
    "cuff": Offer(make=_cuff("BP-7001"), profile=gatt_profile.CUFF),
    "cuff-passkey": Offer(make=_cuff("BP-7002"), profile=gatt_profile.CUFF, pairing=Pairing.PASSKEY),
    "meter": Offer(
        make=lambda _, now: Meter("BG-5001", _strips(now), now), profile=gatt_profile.METER, pairing=Pairing.PASSKEY
    ),
    "sensor": Offer(make=lambda _, now: Cgm("CGM-3001", _SENSED, now), profile=gatt_profile.CGM),
    "oximeter": Offer(
        make=lambda _, now: Oximeter("PO-1001", [Finger(spo2_percent=97, pulse_bpm=71)], now),
        profile=gatt_profile.OXIMETER,
    ),
}
