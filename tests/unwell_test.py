""" "I feel unwell", the whole way: bytes, admission, Ward, policy, alert. What the ECG shows decides what comes of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from alerts.alert import Tier
from alerts.ladder import LadderName
from alerts.plan import Plan
from alerts.reaction import Situation, applied, heard
from stream.command import SymptomReport
from stream.finding import Condition
from tests.conditions_test import ADA, assigned, peaks
from tests.stream.ecg.atrial_test import fibrillating, sinus
from tests.stream.ecg.classed import Heart
from tests.stream.ecg.rules_test import WAVES, heart
from tests.stream.shard import T0
from tests.whole_way import WholeWay

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alerts.alert import Alert

STEADY = peaks(sinus(Heart(), 200))
UNEVEN = peaks(fibrillating(sinus(Heart(), 60), 200, interval=0.6))


def wave(beats_s: list[float]) -> NDArray[np.int16]:
    """A made ECG with R peaks at these seconds that ends with the last; uneven ones have no P waves."""
    samples = heart(beats_s, beats_s[-1] + 0.4).astype(float)
    if beats_s is UNEVEN:
        offset, width, height = WAVES[0]
        t = np.arange(samples.size) / 250.0
        for beat in beats_s:
            samples -= height * np.exp(-0.5 * ((t - beat - offset) / width) ** 2)
    return np.round(samples).astype(np.int16)


def told(beats_s: list[float], feels: str, *, first: bool = False) -> dict[str, Alert]:
    """What people are told of this heart, and of what the patient feels: at the end, or before the ECG begins."""
    way = WholeWay()
    if first:
        way.tell(T0, SymptomReport(patient=ADA, at=T0, symptoms=(feels,)))
    assigned(way, "ecg1")
    way.ecg(wave(beats_s), 250.0, "s1")
    if not first:
        way.tell(way.now, SymptomReport(patient=ADA, at=way.now, symptoms=(feels,)))
    situation = Situation()
    for found in way.findings:
        situation = applied(situation, heard(situation, found, Plan(patient=ADA), found.at))
    return {one.condition: one for one in situation.alerts.values() if one.subject == ADA and one.is_open}


@pytest.mark.parametrize("feels", ["chest_pain", "palpitations", "other"])
def test_with_a_steady_heart_the_doctor_is_told_and_nobody_else(feels: str) -> None:
    alerts = told(STEADY, feels)
    assert {name: one.tier for name, one in alerts.items()} == {Condition.SYMPTOM: Tier.DOCTOR}
    assert alerts[Condition.SYMPTOM].ladder is LadderName.DOCTOR


@pytest.mark.parametrize("first", [False, True], ids=["the heart first", "the patient first"])
def test_with_fibrillating_atria_it_is_an_emergency_that_asks_the_patient(first: bool) -> None:
    alerts = told(UNEVEN, "breathless", first=first)
    assert alerts[Condition.SYMPTOM].tier is Tier.DOCTOR
    assert (alerts[Condition.AF].tier, alerts[Condition.AF].ladder) == (Tier.EMERGENCY, LadderName.COUNTDOWN)


def test_said_again_after_a_doctor_has_closed_it_it_is_told_again() -> None:
    way = WholeWay()
    assigned(way, "ecg1")
    for minute in (0, 0.5, 30):
        at = T0 + timedelta(minutes=minute)
        way.tell(at, SymptomReport(patient=ADA, at=at, symptoms=("chest_pain",)))
    episodes = {found.episode for found in way.of(Condition.SYMPTOM)}
    assert len(episodes) == 2  # a second press within the minute is the same; half an hour later it is felt anew
