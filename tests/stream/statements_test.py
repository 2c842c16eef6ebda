"""What is withheld, and when it is said: a silence of the heart that another lead may contradict."""

from __future__ import annotations

import pytest

from stream.assignments import Assignments
from stream.ecg.marks import Quality
from stream.ecg_statements import STALLED_US, speak
from stream.finding import Condition
from stream.household import EcgCharts, Household, Lane, PatientChart
from stream.instants import SECOND
from stream.lane import LaneChart
from stream.leads import noted
from stream.log_history import LogHistory
from stream.moment import Moment
from stream.statement import opened

ONSET_US, DECIDED_US = 1_000 * SECOND, 1_004 * SECOND
NOW_US = 1_010 * SECOND


def silence():
    """Asystole of the first lead, decided and not said."""
    return opened(
        "ada",
        Condition.ASYSTOLE,
        stream="ecg1/ecg/I",
        opened_at="s1:1",
        onset_us=ONSET_US,
        at_us=DECIDED_US,
        evidence={},
    )


def seen(beats):
    """These beats as a lane remembers them."""
    kept = ()
    for at_us in beats:
        kept = noted(kept, at_us, at_us, 1.0, is_clean=True)
    return kept


def said(*, beats=(), grade=Quality.GOOD, frontier_us=NOW_US, heard_us=NOW_US):
    """What is said with a second lead that shows this."""
    first = LaneChart(("gw1", "e1", "ecg1", "ecg/I"), patient="ada", withheld=(silence(),))
    first.frontier_us, first.heard_us = NOW_US, NOW_US
    second = LaneChart(("gw1", "e1", "ecg1", "ecg/II"), patient="ada", beats=seen(beats))
    second.frontier_us, second.heard_us, second.grades = frontier_us, heard_us, ((ONSET_US - SECOND, int(grade)),)
    lanes = {chart.key: Lane(chart, slot=n) for n, chart in enumerate((first, second))}
    house = Household("device/ecg1", lanes=lanes, patients={"ada": PatientChart("ada")})
    moment = Moment(1, NOW_US, NOW_US, NOW_US, Assignments(), LogHistory(), EcgCharts())
    found = speak(house, lanes[first.key], moment, 600 * SECOND)
    return [one.condition for one in found], bool(first.withheld)


BEATS = [ONSET_US + n * SECOND for n in range(1, 4)]


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ({}, ([Condition.ASYSTOLE], False)),  # no lead shows a beat: the heart stands still
        ({"beats": BEATS, "grade": Quality.BAD}, ([Condition.ASYSTOLE], False)),  # noise is not a heart that beats
        (
            {"beats": [ONSET_US + SECOND // 4]},
            ([Condition.ASYSTOLE], False),
        ),  # the last beat, a little later in this lead
        ({"beats": [DECIDED_US + SECOND]}, ([Condition.ASYSTOLE], False)),  # a beat after it contradicts nothing
        ({"frontier_us": ONSET_US}, ([], True)),  # that lead has not come so far: wait for it
        # It has not come so far and is not heard any more: nobody waits for it.
        ({"frontier_us": ONSET_US, "heard_us": NOW_US - STALLED_US}, ([Condition.ASYSTOLE], False)),
    ],
)
def test_a_silence_is_said_when_no_lead_can_contradict_it(second, expected):
    assert said(**second) == expected


def test_a_silence_that_another_lead_contradicts_is_not_said():
    assert said(beats=BEATS)[0] == []
