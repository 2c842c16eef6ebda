"""Ways of failing, with the real database: an endpoint down for an hour, a refused address, a station that dies."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from alerts import answers
from alerts.alert import AlertId, notice_id
from alerts.answers import Said, Verb
from alerts.delivery.outcome import Refused, Retry
from alerts.plan import DEFAULT_TEAM
from stream.finding import Condition
from tests.alerts.desk import START, finding

if TYPE_CHECKING:
    from tests.alerts.desk import Desk, HandClock, Recorder, Stream

DISPATCH = next(one for one in DEFAULT_TEAM if one.person == "dispatch")


def test_dispatch_down_for_an_hour_is_tried_each_minute_under_one_id_and_then_told_again(
    desk: Desk, stream: Stream, clock: HandClock, webhook: Recorder
) -> None:
    webhook.answers = [Retry("ConnectError")] * 1000
    stream.says(finding(Condition.VF))
    for minute in range(64):
        if minute == 60:
            webhook.answers.clear()
        desk.work()
        clock.forward(60)
    up_at = START + timedelta(minutes=60)
    down = [message for message in webhook.got if message.at < up_at]
    after = [message.notice for message in webhook.got if message.at >= up_at]
    assert {(message.at - START) // timedelta(minutes=1) for message in down} == set(range(60))
    assert {message.notice for message in down} == {after[0]}  # the very notice gets through
    assert len(after) == len(set(after)) == 4  # then each minute a new cycle


def test_a_refused_doctor_is_followed_by_the_next_rung_at_once_and_the_operator_hears_of_the_address(
    desk: Desk, stream: Stream, clock: HandClock, logged: Recorder
) -> None:
    logged.answers = [Refused("550 no such mailbox")]
    stream.says(finding(Condition.AF))
    desk.work()
    clock.forward(1)
    desk.work()
    told = [
        (notice["person"], notice["rung"], notice["status"]) for notice in desk.notices() if notice["tier"] == "doctor"
    ]
    # The second rung would be the same mailbox: the practice at once, not in an hour.
    assert told == [("doctor", 0, "refused"), ("practice", 2, "delivered")]
    assert "delivery_failing" in {alert["condition"] for alert in desk.alerts()}


def test_a_station_killed_in_a_countdown_another_tells_dispatch_in_time_under_the_undisturbed_id(
    desk: Desk, second_desk: Desk, stream: Stream, clock: HandClock, webhook: Recorder
) -> None:
    stream.says(finding(Condition.EXTREME_TACHY))
    desk.work()  # ... and dies here
    clock.forward(29)
    second_desk.work()
    assert webhook.got == []
    clock.forward(1)
    for one in (second_desk, desk, second_desk):  # both live again: still one message
        one.work()
    (alert,) = desk.alerts()
    assert [message.notice for message in webhook.got] == [
        notice_id(AlertId(alert["alert"]), "raised", 1, 0, 0, DISPATCH)
    ]
    assert webhook.got[0].at == START + timedelta(seconds=30)


def test_an_answer_in_the_last_second_and_the_station_s_step_never_both_win(
    desk: Desk, stream: Stream, clock: HandClock, webhook: Recorder
) -> None:
    stream.says(finding(Condition.EXTREME_TACHY))
    desk.work()
    clock.forward(29)
    (alert,) = desk.alerts()
    with desk.conn.transaction():
        said = Said(verb=Verb.WELL, by_whom="patient", key="tap")
        answers.answer(desk.conn, alert["alert"], said, clock.now())
    clock.forward(1)
    desk.work()
    assert webhook.got == []
    (alert,) = desk.alerts()
    assert (alert["tier"], alert["reason"], alert["asked_until"]) == ("doctor", "patient_well", None)
