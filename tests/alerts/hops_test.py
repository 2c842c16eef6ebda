"""From the skin to the person: the times of an alert, and the story told of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg

from alerts import hops
from alerts.story import Storyteller
from stream.finding import Condition
from tests.alerts.desk import START, finding, later

if TYPE_CHECKING:
    from tests.alerts.desk import Desk, Stream

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def _ecg(dsn: str, position: int) -> None:
    with psycopg.connect(dsn) as conn:
        conn.execute("INSERT INTO stream.source (client, epoch) VALUES ('gw', 'e') ON CONFLICT DO NOTHING")
        conn.execute(
            "INSERT INTO stream.lane (source, device, stream) VALUES (1, 'h10', 'ecg/I') ON CONFLICT DO NOTHING"
        )
        conn.execute(
            "INSERT INTO stream.ecg VALUES (1, %s, %s, 'ada', 's', 0, 130, 'I', true, 0, 'device', 0, %s, 0, %s, %s, true,"
            " '\\x00', 130, '\\x00')",
            (position, START, position, START + timedelta(seconds=2), START + timedelta(seconds=1)),
        )


def test_every_hop_of_an_emergency_is_known(desk: Desk, stream: Stream, dsn: str) -> None:
    _ecg(dsn, 1)
    stream.says(finding(Condition.VF))
    desk.work()
    (alert,) = desk.alerts()
    found = hops.of(desk.conn, alert["alert"])
    assert (found.device, found.stream, found.position) == ("h10", "ecg/I", 1)
    assert (found.device_at, found.received_at, found.sent_at) == (
        START, START + timedelta(seconds=1), START + timedelta(seconds=2),
    )  # fmt: skip
    assert all(found.times().values())
    assert found.stored_at is not None
    assert found.stored_at <= found.judged_at <= found.alerted_at <= found.delivered_at  # type: ignore[operator]


def test_what_is_not_known_is_none(desk: Desk, stream: Stream) -> None:
    stream.says(finding(Condition.VF))
    desk.hear()
    (alert,) = desk.alerts()
    times = hops.of(desk.conn, alert["alert"]).times()
    assert times["device"] is times["sent"] is times["delivered"] is None
    assert times["judged"] is not None


def test_the_story_tells_each_thing_once_in_its_order(desk: Desk, stream: Stream) -> None:
    teller = Storyteller(LONG_AGO)
    vf = finding(Condition.VF)
    stream.says(vf)
    desk.work()
    lines = teller.news(desk.conn)
    assert "EMERGENCY  ada: ventricular fibrillation" in lines[0]
    assert [line for line in lines if "delivered  raised to dispatch by webhook" in line]
    assert teller.news(desk.conn) == []
    stream.says(later(vf, present=False))
    desk.work()
    (line,) = teller.news(desk.conn)
    assert "over" in line
