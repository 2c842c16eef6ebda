"""Arrest alarms, calm hours, alarms a day."""

from __future__ import annotations

import pytest

from alerts.validation.alarm_scoring import alarms_a_day, arrest_counts, confirms, dangerous, false_emergencies
from tests.alerts.validation.annotated import reference, said


@pytest.mark.parametrize(
    ("kind", "episode", "expected"),
    [
        ("Asystole", ("asystole", 140, 146, 155), True),
        ("Asystole", ("asystole", 145, 151, 155), False),  # decided after the alarm
        ("Asystole", ("asystole", 120, 124, 133), False),  # another one, over before
        ("Asystole", ("asystole", 120, 124, 134), True),
        ("Asystole", ("pause", 140, 143, 150), False),  # a pause is not a standstill
        ("Bradycardia", ("extreme_brady", 140, 146, None), True),
        ("Tachycardia", ("tachy", 20, 30, None), True),  # long open
        ("Ventricular_Tachycardia", ("vf", 140, 146, None), True),  # either is an emergency
        ("Ventricular_Tachycardia", ("nsvt", 140, 146, None), False),
    ],
)
def test_an_alarm_is_confirmed_by_what_means_it_in_time(kind, episode, expected):
    assert confirms(kind, said(episodes=[episode]), 150.0) is expected


def test_an_alert_confirms_too_but_no_tip():
    assert confirms("Asystole", said(alarms=[("EMERGENCY", "asystole", 149)]), 150.0)
    assert not confirms("Asystole", said(alarms=[("TIP", "asystole", 149)]), 150.0)
    assert not confirms("Asystole", said(alarms=[("EMERGENCY", "asystole", 133)]), 150.0)


def test_a_lost_true_alarm_is_counted_as_one_that_must_not_be():
    assert arrest_counts("Asystole", True, False) == {"fn": 1, "Asystole_fn": 1, "spared_lost": 1}
    assert arrest_counts("Ventricular_Tachycardia", True, False) == {"fn": 1, "Ventricular_Tachycardia_fn": 1}
    assert arrest_counts("Asystole", False, True) == {"fp": 1, "Asystole_fp": 1}


def beats(spacing, first, last, symbol="N"):
    number = int((last - first) / spacing)
    return [(first + n * spacing, symbol) for n in range(number)]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (beats(1.0, 0, 600), []),
        ([*beats(0.5, 0, 300), *beats(0.5, 302.5, 600)], [(289.5, 332.5)]),  # a pause of 3 s
        ([*beats(1.0, 0, 300), (300.0, "V"), (301.0, "V"), *beats(1.0, 302, 600)], []),  # a couplet is none
        ([*beats(1.0, 0, 300), *((300.0 + n, "V") for n in range(3)), *beats(1.0, 303, 600)], [(290, 332.001)]),
        ([*beats(1.0, 0, 300), *beats(1.6, 300, 308), *beats(1.0, 308, 600)], [(290, 338)]),  # five under 40
        ([*beats(1.0, 0, 300), *beats(0.4, 300, 306), *beats(1.0, 307, 600)], []),  # 15 fast ones are not 17
        ([*beats(1.0, 0, 600), (200, "["), (210, "]")], [(190, 240)]),
        ([*beats(1.0, 0, 600), (200, "+", "(VT"), (210, "+", "(N")], [(190, 240)]),
    ],
)
def test_danger(rows, expected):
    found = dangerous(reference(rows, seconds=600))
    assert [tuple(round(x, 3) for x in span) for span in found] == expected


def test_false_is_an_emergency_in_calm_time_only():
    notes = reference([*beats(1.0, 0, 600), (200, "["), (210, "]")], seconds=600)
    alarms = [("EMERGENCY", "vf", 195), ("EMERGENCY", "vf", 400), ("DOCTOR", "pause", 410)]
    heard = said(beats=beats(1.0, 0, 600), alarms=alarms, episodes=[("vf", 390, 400, 420)], seconds=600)
    counts, false = false_emergencies(notes, heard, is_calm=False)
    assert [a.raised_s for a in false] == [400]
    assert counts == {"hours": 550 / 3600, "false": 1, "unjudged": 1, "arrhythmia": 1}
    assert false_emergencies(notes, heard, is_calm=True)[0]["false"] == 2


def test_silence_proves_nothing():
    notes = reference(beats(1.0, 0, 600), seconds=600)
    assert false_emergencies(notes, said(beats=beats(1.0, 0, 100), seconds=600), is_calm=True)[0] == {"asleep": 1}


def test_alarms_of_the_equipment_are_told_by_themselves():
    counts = alarms_a_day(said(alarms=[("TIP", "noise", 1), ("TIP", "ectopy", 2), ("DOCTOR", "pause", 3)]))
    assert counts == {"hours": 0.5, "unjudged": 0, "TECHNICAL": 1, "TIP": 1, "DOCTOR": 1}


def test_time_that_cannot_be_judged_counts_once():
    grades = [(0, 100, "GOOD"), (100, 200, "BAD"), (200, 1800, "FAIR")]
    heard = said(grades=grades, episodes=[("noise", 160, 170, 260), ("vf", 500, 503, 600)])
    assert alarms_a_day(heard)["unjudged"] == 160 / 3600
