"""Alerts of a replay are those of the station: the same policy, course and ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.alert import Tier
from alerts.replaying import replay_alerts
from stream.finding import Condition, Finding
from tests.alerts.desk import finding, later

if TYPE_CHECKING:
    from tests.alerts.desk import Desk, Stream


def test_one_alert_a_condition_while_it_is_open() -> None:
    findings = [finding(Condition.VF, opened=f"s|{n}") for n in range(5)]
    (alert,) = replay_alerts(findings)
    assert (alert.finding, alert.tier, alert.raised_at) == (findings[0], Tier.EMERGENCY, findings[0].at)


def test_worsening_sounds_again_under_the_same_id() -> None:
    past = finding(Condition.VF, present=False, late=True)
    first, second = replay_alerts([past, later(past, present=True, late=False)])
    assert first.alert == second.alert
    assert (first.tier, second.tier) == (Tier.DOCTOR, Tier.EMERGENCY)
    assert (first.generation, second.generation) == (0, 1)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    said=st.lists(
        st.tuples(st.sampled_from([Condition.VF, Condition.PAUSE, Condition.NOISE]), st.integers(0, 1), st.booleans()),
        max_size=8,
    ),
    salt=st.uuids(),
)
def test_the_station_raises_the_very_same(
    desk: Desk, stream: Stream, said: list[tuple[Condition, int, bool]], salt: object
) -> None:
    subject = f"p-{salt}"
    latest: dict[tuple[Condition, int], Finding] = {}
    findings = []
    for condition, opened, present in said:
        before = latest.get((condition, opened))
        new = finding(condition, subject=subject, opened=f"s|{opened}", present=present)
        if before is not None:
            new = later(before, present=present)
        latest[condition, opened] = new
        findings.append(new)
        stream.says(new)
    desk.hear()
    ours = {row["alert"] for row in desk.alerts() if row["subject"] == subject}
    assert {one.alert for one in replay_alerts(findings)} == ours
