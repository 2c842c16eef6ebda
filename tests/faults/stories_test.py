"""Stories of being away: an hour offline, the last thing heard, a minute without Wi-Fi, clocks that are wrong.

Told to a whole house by real gateways; an hour passes in the events' own times, not in the test.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from device_sims.synthetic import Plan, Rhythm
from gateway.sessions.session import Draft
from tests.faults.house import House, house, until
from tests.faults.people import Watched

HOUR = timedelta(hours=1)


def watched(patient: str, *plan: tuple[Rhythm, float]) -> Watched:
    """Somebody whose heart does this."""
    told: Plan = plan
    return Watched(patient=patient, client=f"gw-{patient}", plan=told, seed=sum(map(ord, patient)))


OFFLINE = watched("offline", (Rhythm.SINUS, 30), (Rhythm.VF, 60), (Rhythm.SINUS, 60))
AFTERWARDS = replace(watched("offline", (Rhythm.SINUS, 30)), session="afterwards", seed=5)
LAST_HEARD = watched("last-heard", (Rhythm.SINUS, 30), (Rhythm.VF, 60))
WIFI = watched("wifi", (Rhythm.SINUS, 15), (Rhythm.VF, 25), (Rhythm.SINUS, 50))
CLOCK = watched("clock", (Rhythm.SINUS, 30), (Rhythm.VF, 30))
QUIET = watched("quiet", (Rhythm.SINUS, 110))


@pytest.fixture(scope="module")
def home() -> Iterator[House]:
    with house() as made:
        made.settle([OFFLINE, LAST_HEARD, WIFI, CLOCK, QUIET], datetime.now(UTC) - 3 * HOUR)
        yield made


def seconds(one: Watched) -> range:
    """All of it."""
    return range(one.seconds)


def alerts(home: House, patient: str, condition: str = "vf") -> list[tuple[object, ...]]:
    """Tier, past and ladder of a patient's alerts."""
    return home.ask(
        "SELECT tier, past, ladder FROM alerts.alert WHERE subject = %s AND condition = %s", patient, condition
    )


def offline(home: House, one: Watched, zero: datetime) -> None:
    """Its gateway hears all this without a network, and is found with it in its outbox when it is started again."""
    gateway = home.world.gateways[one.client]
    gateway._mqtt.stop()
    home.world.do(home.world.hear([one], seconds(one), zero))
    home.world.do(home.world.close_gateway(one.client))


def test_an_hour_offline_with_a_fibrillation_that_ended_is_a_past_emergency(home: House) -> None:
    zero = datetime.now(UTC) - HOUR
    offline(home, OFFLINE, zero)
    home.open_gateway(OFFLINE.client)
    home.world.do(home.world.hear([AFTERWARDS], seconds(AFTERWARDS), datetime.now(UTC) - timedelta(seconds=30)))
    home.receipted()
    found = until(lambda: alerts(home, "offline"), "an alert about the fibrillation", 90.0)
    assert found == [("doctor", True, "past_emergency")]
    ((onset, ended, late, present),) = home.ask(
        "SELECT onset - %s, ended - %s, late, present FROM stream.episode WHERE subject = 'offline' AND condition = 'vf'",
        zero,
        zero,
    )
    assert (late, present) == (True, False)
    assert timedelta(seconds=25) < onset < timedelta(seconds=40)
    assert timedelta(seconds=85) < ended < timedelta(seconds=100)
    assert not home.call("GET", "/api/v1/ledger")["unaccounted"]


def test_a_fibrillation_that_was_the_last_thing_heard_is_an_emergency(home: House) -> None:
    offline(home, LAST_HEARD, datetime.now(UTC) - HOUR)
    home.open_gateway(LAST_HEARD.client)
    home.receipted()
    found = until(lambda: alerts(home, "last-heard"), "an alert about the fibrillation", 90.0)
    assert found == [("emergency", False, "emergency")]
    assert home.ask("SELECT present, late FROM stream.episode WHERE subject = 'last-heard' AND condition = 'vf'") == [
        (True, False)
    ]


def test_a_minute_without_wifi_marks_nothing_past(home: House) -> None:
    zero = datetime.now(UTC) - timedelta(seconds=92)
    home.world.do(home.world.hear([WIFI], range(10), zero))
    home.receipted()
    rest = range(10, WIFI.seconds)
    home.world.gateways[WIFI.client]._mqtt.stop()
    home.world.do(home.world.hear([WIFI], rest, zero))
    home.world.do(home.world.close_gateway(WIFI.client))
    home.open_gateway(WIFI.client)
    home.receipted()
    found = until(lambda: alerts(home, "wifi"), "an alert about the fibrillation")
    assert found == [("emergency", False, "emergency")]
    until(
        lambda: home.ask("SELECT 1 FROM stream.episode WHERE subject = 'wifi' AND condition = 'vf' AND NOT present"),
        "its end",
    )
    assert home.ask("SELECT count(*) FROM stream.episode WHERE subject = 'wifi' AND late") == [(0,)]


def test_a_device_clock_ten_years_ahead_is_one_entry_and_no_more(home: House) -> None:
    zero = datetime.now(UTC) - timedelta(seconds=62)
    home.world.do(home.world.hear([CLOCK], range(10), zero))
    (draft,) = CLOCK.said(10, zero)
    ahead = replace(draft.event, at=draft.event.at + timedelta(days=3650))
    gateway = home.world.gateways[CLOCK.client]

    async def hear_ahead() -> None:
        kept, gaps = gateway.outbox.append([Draft(event=ahead, heard_monotonic_ns=0)], right=True)
        gateway._kept(kept, gaps)

    home.world.do(hear_ahead())
    home.world.do(home.world.hear([CLOCK], range(11, CLOCK.seconds), zero))
    home.receipted()
    entries = home.call("GET", "/api/v1/quarantine", params={"client": CLOCK.client})["quarantine"]
    assert [(e["reason"], e["device"], e["count"]) for e in entries] == [("clock_ahead", CLOCK.ecg, 1)]
    assert until(lambda: alerts(home, "clock"), "an alert about the fibrillation") == [
        ("emergency", False, "emergency")
    ]
    assert until(lambda: alerts(home, CLOCK.client, "clock_ahead"), "an alert about the clock")
    assert home.ask("SELECT count(*) FROM stream.episode WHERE subject = 'clock' AND late") == [(0,)]


@pytest.mark.parametrize("step_s", [3600.0, -3600.0])
def test_a_step_of_the_servers_clock_is_said_once_and_floods_nobody(home: House, step_s: float) -> None:
    present = "SELECT count(*) FROM stream.episode WHERE condition = 'clock_step' AND present"
    home.receipted()
    home.all_judged()
    ((first,),) = home.ask("SELECT max(position) FROM stream.batch")
    zero = datetime.now(UTC)
    home.arm("clock_step_s", str(step_s))
    until(lambda: home.ask(present) == [(1,)], "the step is said")
    home.world.do(home.world.hear([QUIET], range(5), zero - timedelta(seconds=5)))
    home.receipted()
    home.all_judged()
    home.disarm("clock_step_s")
    until(lambda: home.ask(present) == [(0,)], "it is over")
    ((back, leaps),) = home.ask(
        "SELECT count(*) FILTER (WHERE passed <= interval '0'), count(*) FILTER (WHERE passed > interval '1 minute') FROM"
        " (SELECT tick_at - lag(tick_at) OVER (ORDER BY position) AS passed FROM stream.batch WHERE position >= %s) t",
        first,
    )
    assert (back, leaps) == (0, 0)
    said = home.ask(
        "SELECT condition, count(DISTINCT episode), count(*) FROM stream.finding WHERE position > %s GROUP BY 1", first
    )
    home.note(f"step of {step_s:+.0f} s: (condition, episodes, findings) {said}")
    assert {condition for condition, _, _ in said} <= {"clock_step", "no_data", "link_silent"}
    assert ("clock_step", 1) in {(condition, episodes) for condition, episodes, _ in said}
    silent = sum(episodes for condition, episodes, _ in said if condition != "clock_step")
    assert silent <= len(home.people), "more than the devices that have nothing more to say"
