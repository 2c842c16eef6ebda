"""The station against the real database: each finding once, each step once, whatever dies in between."""

from __future__ import annotations

import json
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg

from alerts import listening, sending
from alerts.alert import AlertId, notice_id
from alerts.delivery.outcome import Refused, Retry
from alerts.plan import DEFAULT_TEAM
from alerts.record import Audience, Record, no_record
from stream.finding import Condition, SubjectKind
from tests.alerts.desk import START, Desk, HandClock, Recorder, Stream, finding, later

if TYPE_CHECKING:
    from pathlib import Path


def test_a_finding_becomes_an_alert_and_its_notices_at_once(desk: Desk, stream: Stream, webhook: Recorder) -> None:
    stream.says(finding(Condition.VF))
    desk.work()
    (alert,) = desk.alerts()
    assert (alert["tier"], alert["state"]) == ("emergency", "sounding")
    (message,) = webhook.got
    told = json.loads(message.body)
    assert told["type"] == "alert.raised"
    assert told["data"]["alert_id"] == str(alert["alert"])
    assert told["data"]["record"]["allergies"] == "unknown"
    assert told["data"]["reason"]["en"].startswith("EMERGENCY: ventricular fibrillation")
    assert {notice["status"] for notice in desk.notices()} == {"delivered"}


def test_the_body_lies_encrypted_and_is_the_same_at_every_attempt(
    desk: Desk, stream: Stream, webhook: Recorder, clock: HandClock
) -> None:
    webhook.answers = [Retry("HTTP 500"), Retry("HTTP 500")]
    stream.says(finding(Condition.VF))
    for _ in range(3):
        desk.work()
        clock.forward(2)
    bodies = {message.body for message in webhook.got}
    assert len(webhook.got) == 3
    assert len(bodies) == 1
    assert len({message.notice for message in webhook.got}) == 1
    (row,) = [row for row in desk.notices() if row["channel"] == "webhook"]
    assert b"alert" not in row["body"]


def test_hearing_again_from_the_start_changes_nothing(desk: Desk, stream: Stream, dsn: str) -> None:
    first = finding(Condition.VF)
    stream.says(first, finding(Condition.LEAD_OFF))
    stream.says(later(first, present=False))
    desk.work()
    before = (desk.alerts(), desk.rows("SELECT * FROM alerts.history ORDER BY alert, n"), desk.notices())
    with psycopg.connect(dsn) as conn:
        conn.execute("UPDATE alerts.cursor SET position = 0, ord = -1")
    desk.work()
    assert (desk.alerts(), desk.rows("SELECT * FROM alerts.history ORDER BY alert, n"), desk.notices()) == before


def test_nothing_beyond_what_is_judged_for_good_is_heard(desk: Desk, stream: Stream, dsn: str) -> None:
    stream.says(finding(Condition.VF))
    with psycopg.connect(dsn) as conn:
        conn.execute("UPDATE stream.cursor SET judged_position = 0")
    assert desk.hear() == 0
    assert desk.alerts() == []


def test_two_stations_at_once_make_one_alert_and_send_each_notice_once(
    desk: Desk, second_desk: Desk, stream: Stream, webhook: Recorder, logged: Recorder
) -> None:
    for number in range(12):
        stream.says(finding(Condition.VF, subject=f"p{number}"))
    threads = [threading.Thread(target=one.work) for one in (desk, second_desk)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    desk.work()  # a station that found the cursor locked may have stopped early
    assert len(desk.alerts()) == 12
    sent = [message.notice for message in (*webhook.got, *logged.got)]
    assert len(sent) == len(set(sent)) == 36


def test_killed_between_delivered_and_outcome_the_same_id_goes_out_again(
    desk: Desk, second_desk: Desk, stream: Stream, webhook: Recorder, dsn: str
) -> None:
    stream.says(finding(Condition.VF))
    desk.hear()
    claimed = next(one for one in desk.claim() if one.notice.to.channel == "webhook")
    with psycopg.connect(dsn) as conn:
        body = sending.freeze(
            conn, claimed, desk.station._seal, lambda p, _: Record(patient=p), desk.station._readers, START
        )
    sending.deliver(claimed, body, {"webhook": webhook}, START)
    # ... and here the process dies. Its lease runs out; another station finds the notice waiting.
    assert second_desk.claim() == []
    with psycopg.connect(dsn) as conn:
        conn.execute("UPDATE alerts.notice SET lease_until = clock_timestamp() - interval '1 s'")
    second_desk.work()
    first, second = webhook.got
    assert (first.notice, first.body) == (second.notice, second.body)
    attempts = desk.rows("SELECT n, outcome FROM alerts.attempt WHERE notice = %s ORDER BY n", first.notice)
    assert attempts == [{"n": 1, "outcome": None}, {"n": 2, "outcome": "delivered"}]


def test_the_ladder_goes_on_under_the_ids_of_the_undisturbed_run(
    desk: Desk, second_desk: Desk, stream: Stream, clock: HandClock
) -> None:
    stream.says(finding(Condition.BRADY))
    desk.work()
    clock.forward(15 * 60 + 400)  # the first station is dead; the second comes late
    second_desk.work()
    (alert,) = desk.alerts()
    doctor = [notice for notice in desk.notices() if notice["person"] == "doctor"]
    assert [(notice["cycle"], notice["rung"]) for notice in doctor] == [(0, 0), (0, 1)]
    to = next(one for one in DEFAULT_TEAM if one.person == "doctor")
    assert [notice["notice"] for notice in doctor] == [
        notice_id(AlertId(alert["alert"]), "raised", 0, 0, n, to) for n in (0, 1)
    ]


def test_dispatch_down_for_three_minutes_is_one_incident(
    desk: Desk, stream: Stream, clock: HandClock, webhook: Recorder
) -> None:
    webhook.answers = [Retry("ConnectError")] * 10
    stream.says(finding(Condition.VF))
    for _ in range(185):
        desk.work()
        clock.forward(1)
    ids = {message.notice for message in webhook.got}
    assert len([alert for alert in desk.alerts() if alert["condition"] == "vf"]) == 1
    offsets = [(message.at - START).total_seconds() for message in webhook.got][:10]
    assert offsets == [0, 1, 2, 4, 8, 15, 30, 60, 120, 180]
    assert len(ids) == 1  # a repeat of the ladder skips whom the retry still tries to reach
    attempts = desk.rows("SELECT * FROM alerts.attempt WHERE notice = %s", next(iter(ids)))
    assert len(attempts) == len(webhook.got)
    failing = next(alert for alert in desk.alerts() if alert["condition"] == "delivery_failing")
    assert (failing["subject"], failing["kind"], failing["tier"]) == ("webhook:dispatch", "technical", "tip")
    clock.forward(60)
    desk.work()
    failing = next(alert for alert in desk.alerts() if alert["condition"] == "delivery_failing")
    assert failing["state"] == "closed"  # it got through


def test_a_refusal_raises_an_alert_of_its_own_and_an_emergency_goes_on(
    desk: Desk, stream: Stream, clock: HandClock, webhook: Recorder
) -> None:
    webhook.answers = [Refused("HTTP 410")]
    stream.says(finding(Condition.VF))
    desk.work()
    assert {alert["condition"] for alert in desk.alerts()} == {"vf", "delivery_failing"}
    clock.forward(1)
    desk.work()
    assert len(webhook.got) == 2


def test_a_lost_row_heals_from_the_level(desk: Desk, stream: Stream, clock: HandClock) -> None:
    stream.says(finding(Condition.VF), with_rows=False)
    desk.work()
    assert desk.alerts() == []
    assert listening.reconcile(desk.conn, clock.now()) == 1
    assert [alert["condition"] for alert in desk.alerts()] == ["vf"]
    assert listening.reconcile(desk.conn, clock.now()) == 0


def test_a_finding_that_cannot_be_read_is_said_and_taken_from_the_level(desk: Desk, stream: Stream) -> None:
    stream.says(finding(Condition.VF), body=b"\xc1garbage")
    stream.says(finding(Condition.LEAD_OFF))
    desk.work()
    assert {alert["condition"] for alert in desk.alerts()} == {"vf", "lead_off", "finding_unreadable"}
    assert len(desk.rows("SELECT * FROM alerts.unreadable")) == 1


def test_a_late_record_goes_out_in_an_update(
    dsn: str, clock: HandClock, tmp_path: Path, stream: Stream, webhook: Recorder, logged: Recorder
) -> None:
    there = threading.Event()

    def slow(patient: str, audience: Audience) -> Record:
        del audience
        there.wait(5)
        return Record(patient=patient, name="Ada Wong")

    desk = Desk(dsn, clock, tmp_path / "keys", {"webhook": webhook, "log": logged}, slow)
    try:
        stream.says(finding(Condition.VF))
        desk.work()
        first = json.loads(webhook.got[0].body)["data"]
        assert first["record"]["name"] == "unknown"
        assert "missing" in first["record_status"]
        there.set()
        assert sending.follow_up(desk.conn, slow, desk.station._readers, clock.now()) == 1
        desk.work()
        update = json.loads(webhook.got[1].body)
        assert update["type"] == "alert.updated"
        assert update["data"]["why"] == "the record has arrived"
        assert update["data"]["record"]["name"] == "Ada Wong"
        assert sending.follow_up(desk.conn, slow, desk.station._readers, clock.now()) == 0
    finally:
        there.set()
        desk.close()


def test_a_late_strip_goes_out_in_an_update_and_the_record_does_not_wait_for_it(
    dsn: str, clock: HandClock, tmp_path: Path, stream: Stream, webhook: Recorder, logged: Recorder
) -> None:
    there = threading.Event()

    def known(patient: str, audience: Audience) -> Record:
        del audience
        return Record(patient=patient, name="Ada Wong")

    def slow(alert: object) -> str:
        del alert
        there.wait(30)
        return "<svg/>"

    desk = Desk(dsn, clock, tmp_path / "keys", {"webhook": webhook, "log": logged}, known, slow)
    try:
        stream.says(finding(Condition.VF))
        begun = time.monotonic()
        desk.work()
        assert time.monotonic() - begun < 8  # the update's patience is ten
        first = json.loads(webhook.got[0].body)["data"]
        assert (first["record"]["name"], first["record_status"]) == ("Ada Wong", "complete")
        assert (first["strip"], first["strip_status"]) == ("unknown", "missing: it follows in an update")
        there.set()
        assert sending.follow_up(desk.conn, known, desk.station._readers, clock.now(), slow) == 1
        desk.work()
        update = json.loads(webhook.got[1].body)
        assert (update["type"], update["data"]["strip"]) == ("alert.updated", "<svg/>")
        assert sending.follow_up(desk.conn, known, desk.station._readers, clock.now(), slow) == 0
    finally:
        there.set()
        desk.close()


def test_a_strip_that_cannot_be_drawn_is_said_and_asked_for_no_more(
    dsn: str, clock: HandClock, tmp_path: Path, stream: Stream, webhook: Recorder, logged: Recorder
) -> None:
    def broken(alert: object) -> str:
        raise ValueError(alert)

    desk = Desk(dsn, clock, tmp_path / "keys", {"webhook": webhook, "log": logged}, no_record, broken)
    try:
        stream.says(finding(Condition.VF))
        desk.work()
        data = json.loads(webhook.got[0].body)["data"]
        assert data["strip_status"].startswith("failed")
        assert sending.follow_up(desk.conn, no_record, desk.station._readers, clock.now(), broken) == 0
    finally:
        desk.close()


def test_a_gateway_s_alert_reaches_the_operator_only(
    desk: Desk, stream: Stream, logged: Recorder, webhook: Recorder
) -> None:
    stream.says(finding(Condition.MALFORMED, subject="gw-1", subject_kind=SubjectKind.CLIENT))
    desk.work()
    assert [message.person for message in logged.got] == ["operator"]
    assert webhook.got == []


def test_a_stale_attempt_does_not_undo_a_newer_one(desk: Desk, stream: Stream, dsn: str) -> None:
    stream.says(finding(Condition.VF))
    desk.hear()
    claimed = next(one for one in desk.claim() if one.notice.to.channel == "webhook")
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("UPDATE alerts.notice SET lease_until = NULL WHERE status = 'waiting'")
        desk.work()
        sending.conclude(conn, claimed, Retry("slept for a minute"), START)
    (row,) = [row for row in desk.notices() if row["channel"] == "webhook"]
    assert row["status"] == "delivered"


def test_an_alert_that_cannot_be_read_keeps_no_other_waiting(
    desk: Desk, stream: Stream, clock: HandClock, dsn: str
) -> None:
    stream.says(finding(Condition.VF, subject="broken"))
    stream.says(finding(Condition.VF, subject="whole"))
    desk.work()
    with psycopg.connect(dsn) as conn:
        conn.execute("UPDATE alerts.alert SET state = 'of a newer version' WHERE subject = 'broken'")
    clock.forward(61)
    assert desk.escalate() == 1
    repeats = desk.rows("SELECT a.subject FROM alerts.notice n JOIN alerts.alert a USING (alert) WHERE n.cycle = 1")
    assert {row["subject"] for row in repeats} == {"whole"}


def test_a_finding_of_a_subject_that_cannot_be_read_keeps_no_other_waiting(
    desk: Desk, stream: Stream, dsn: str
) -> None:
    stream.says(finding(Condition.VF, subject="broken"))
    desk.hear()
    with psycopg.connect(dsn) as conn:
        conn.execute("UPDATE alerts.alert SET state = 'of a newer version'")
    stream.says(finding(Condition.ASYSTOLE, subject="broken"), finding(Condition.VF, subject="whole"))
    desk.hear()
    assert [row["subject"] for row in desk.rows("SELECT subject FROM alerts.alert WHERE subject = 'whole'")] == [
        "whole"
    ]


def test_of_two_who_compose_at_once_the_first_body_stays(desk: Desk, stream: Stream, dsn: str) -> None:
    stream.says(finding(Condition.VF))
    desk.hear()
    claimed = next(one for one in desk.claim() if one.notice.to.channel == "webhook")
    seal, readers = desk.station._seal, desk.station._readers
    with psycopg.connect(dsn) as conn:
        first = sending.freeze(conn, claimed, seal, lambda p, _: Record(patient=p, name="first"), readers, START)
        second = sending.freeze(conn, claimed, seal, lambda p, _: Record(patient=p, name="second"), readers, START)
    assert b"first" in first
    assert second == first


def test_a_second_source_counts_also_when_its_alert_is_closed_already(desk: Desk, stream: Stream, dsn: str) -> None:
    faint = finding(Condition.SYMPTOM)
    stream.says(faint)
    stream.says(later(faint, present=False))
    desk.work()
    with psycopg.connect(dsn) as conn:
        conn.execute("UPDATE alerts.alert SET state = 'closed', next_due_at = NULL, closed_at = raised_at")
    stream.says(finding(Condition.BP_CRISIS, at=START + timedelta(minutes=30)))
    desk.work()
    tiers = {alert["condition"]: alert["tier"] for alert in desk.alerts()}
    assert tiers == {"symptom": "doctor", "bp_crisis": "emergency"}
