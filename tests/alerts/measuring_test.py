"""Which times to measure at a plan may set."""

from __future__ import annotations

import pytest

from alerts.measuring import check_timetable
from alerts.plan import PlanRefused
from stream.command import Timetable


@pytest.mark.parametrize(
    ("times", "zone", "tolerance_s", "why"),
    [
        ((), "Europe/Berlin", 3600, "at least one"),
        (("7 o'clock",), "Europe/Berlin", 3600, "07:00"),
        (("25:00",), "Europe/Berlin", 3600, "07:00"),
        # An offset is no local time: it would be an hour off in summer.
        (("07:00+01:00",), "Europe/Berlin", 3600, "local"),
        (("07:00",), "Europe/Nowhere", 3600, "zone"),
        (("07:00",), "../etc", 3600, "zone"),
        (("07:00",), "Europe/Berlin", 60, "tolerance"),
        # One measurement at 08:00 would count for both; so would one at midnight.
        (("07:00", "09:00"), "Europe/Berlin", 3600, "both"),
        (("23:30", "00:30"), "Europe/Berlin", 1800, "both"),
        (("07:00", "07:00"), "Europe/Berlin", 300, "both"),
    ],
)
def test_times_that_nobody_could_be_judged_by_are_refused(times, zone, tolerance_s, why):
    with pytest.raises(PlanRefused, match=why):
        check_timetable(Timetable(times=times, zone=zone, tolerance_s=tolerance_s))


def test_times_that_can_be_kept_are_taken():
    check_timetable(None)
    check_timetable(Timetable(times=("07:00", "19:00"), zone="Asia/Shanghai", tolerance_s=3600))
    check_timetable(Timetable(times=("07:00",), zone="Europe/Berlin"))
