"""Ctrl-C and a second start on the same folder: the same alerts are open, under the same ids, and the ladder goes on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.faults.house import House, house, until
from tests.faults.people import ward

SECONDS = 60


def test_the_same_alerts_are_open_after_a_second_start() -> None:
    people = ward(5, SECONDS)
    with house() as home:
        home.settle(people, datetime.now(UTC) - timedelta(minutes=5))
        home.world.do(home.world.hear(people, range(SECONDS), datetime.now(UTC) - timedelta(seconds=SECONDS)))
        home.receipted()
        home.all_judged()
        before = open_alerts(home)
        assert {"vf", "tachy", "brady"} <= {condition for _, _, condition in before}
        received = len(emergencies(home))
        home.stop()

        home.start()
        home.goes_on()
        assert open_alerts(home) == before
        home.note(f"{len(before)} alerts open under the same ids")
        # Nobody has accepted it: it is said again, as another cycle of the same alert.
        until(lambda: len(emergencies(home)) > received, "the emergency repeated", 90.0)
        repeated = set(emergencies(home)[received:])
        home.note(f"repeated: {sorted(condition for alert, _, condition in before if alert in repeated)}")
        assert {alert for alert, _, _ in before} >= repeated
        assert home.ask("SELECT count(*) FROM stream.finding WHERE condition = 'determinism_fault'") == [(0,)]


def open_alerts(home: House) -> set[tuple[str, str, str]]:
    """Of patients' bodies."""
    rows = home.ask(
        "SELECT alert::text, subject, condition FROM alerts.alert WHERE state <> 'closed' AND kind = 'physiological'"
    )
    return {(alert, subject, condition) for alert, subject, condition in rows}


def emergencies(home: House) -> list[str]:
    """Alert ids of the verified packets at the dispatch centre, in order."""
    assert home.world.centre is not None
    return [packet.alert_id for packet in home.world.centre.received if packet.verified and not packet.duplicate]
