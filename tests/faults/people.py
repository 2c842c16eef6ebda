"""Who is watched in the tests of faults, and what their devices say: the same every time, whenever it is said.

Times are seconds of the signal; whoever plays it says when second 0 was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from device_sims.cast import Home, Person, Shared, Worn
from device_sims.synthetic import Plan, Rhythm, synthesise
from gateway.reading import DeviceId, EcgChunk, Reading, ReadingKind, SessionId, StreamName
from gateway.sessions.session import UNNUMBERED, Draft

RATE_HZ = 250.0
CHUNK = int(RATE_HZ)
"""A second a chunk."""
DEVICE_DAY = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
"""The cuffs' own clocks begin here in every run: what they say is part of a reading's identity."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """One patient with a strap and a cuff behind one gateway."""

    patient: str
    client: str
    plan: Plan
    seed: int
    pressures: tuple[tuple[int, float, float], ...] = ()
    """Second, systolic, diastolic."""
    session: str = ""
    """Of the strap; a new one when it was taken off and put on again. Empty: the only one."""

    @property
    def ecg(self) -> str:
        """The strap."""
        return f"ecg-{self.patient}"

    @property
    def cuff(self) -> str:
        """The cuff."""
        return f"cuff-{self.patient}"

    @cached_property
    def samples(self) -> NDArray[np.int16]:
        """What lies under the electrodes."""
        return synthesise(self.plan, RATE_HZ, self.seed).samples

    @property
    def seconds(self) -> int:
        """How long it lasts."""
        return len(self.samples) // CHUNK

    @property
    def home(self) -> Home:
        """As the clinic's desk registers it."""
        person = Person(patient=self.patient, record={"name": f"Person {self.patient}", "language": "en"})
        strap = Worn(device=self.ecg, patient=self.patient, plan=self.plan)
        cuff = Shared(device=self.cuff, slots={1: self.patient}, measurements=())
        return Home(client=self.client, people=(person,), straps=(strap,), cuffs=(cuff,))

    def said(self, second: int, zero: datetime, heard: datetime | None = None) -> list[Draft]:
        """What the devices say in one second of the signal; `heard` later than at once if the gateway was slow."""
        at = zero + timedelta(seconds=second)
        heard = heard or at + timedelta(seconds=1)
        piece = self.samples[second * CHUNK : (second + 1) * CHUNK]
        events: list[EcgChunk | Reading] = [
            EcgChunk(
                device=DeviceId(self.ecg), stream=StreamName("ecg/I"), seq=UNNUMBERED,
                session=SessionId(self.session or f"s-{self.patient}"),
                index=second * CHUNK, at=at, rate_hz=RATE_HZ, lead="I", samples=piece.astype("<i2").tobytes(),
                received_at=heard,
            )
        ]  # fmt: skip
        events += [
            Reading(
                device=DeviceId(self.cuff), stream=StreamName("blood_pressure"), seq=UNNUMBERED,
                kind=ReadingKind.BLOOD_PRESSURE, values=(systolic, diastolic, None, 72.0), at=at, slot=1,
                device_time=(DEVICE_DAY + timedelta(seconds=second)).replace(tzinfo=None).isoformat(), received_at=heard,
            )
            for when, systolic, diastolic in self.pressures
            if when == second
        ]  # fmt: skip
        return [Draft(event=event, heard_monotonic_ns=0) for event in events]


def quiet(number: int, seconds: float, client: str | None = None) -> Watched:
    """Somebody to whom nothing happens."""
    name = f"p{number:03}"
    pressures = tuple((second, 118.0 + number % 9, 76.0) for second in range(5, int(seconds), 40))
    return Watched(
        patient=name, client=client or f"gw-{name}", plan=((Rhythm.SINUS, seconds),), seed=number, pressures=pressures
    )


def ward(count: int, seconds: float) -> list[Watched]:
    """Patients of whom some are ill: open and past fibrillation, asystole, fast, slow, an electrode off, a crisis pressure."""
    rest = seconds
    ill: list[tuple[Plan, tuple[tuple[int, float, float], ...]]] = [
        (((Rhythm.SINUS, 30), (Rhythm.VF, rest - 30)), ((4, 121, 78),)),
        (((Rhythm.SINUS, 25), (Rhythm.VF, 20), (Rhythm.SINUS, rest - 45)), ((6, 125, 80),)),
        (((Rhythm.SINUS, 40), (Rhythm.ASYSTOLE, 15), (Rhythm.SINUS, rest - 55)), ((7, 116, 70),)),
        (((Rhythm.SINUS, 20), (Rhythm.TACHY, rest - 20)), ((8, 130, 84),)),
        (((Rhythm.SINUS, 20), (Rhythm.BRADY, rest - 20)), ((9, 112, 70),)),
        (((Rhythm.SINUS, 30), (Rhythm.LEAD_OFF, 20), (Rhythm.SINUS, rest - 50)), ((3, 119, 76),)),
        (((Rhythm.SINUS, rest),), ((6, 192, 124), (80, 194, 126))),
        (((Rhythm.SINUS, rest),), ((12, 188, 122),)),
    ]
    people = [
        Watched(patient=f"p{n:03}", client=f"gw-p{n:03}", plan=plan, seed=n, pressures=pressures)
        for n, (plan, pressures) in enumerate(ill[:count])
    ]
    return people + [quiet(n, seconds) for n in range(len(people), count)]
