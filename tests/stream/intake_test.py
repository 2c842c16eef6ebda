"""Intake over the real store: what is committed, acknowledged, receipted, refused, and judged once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.reading import Abandoned, Deferred, DeviceStatus, EventBatch, Reading
from gateway.wire import encode_batch
from stream.archive import Fenced
from stream.finding import Condition
from tests.stream.shard import T0, Shard, chunk


def pressure(seq, at_s, systolic=120.0, diastolic=80.0, slot=1, device="cuff1", **kept):
    at = T0 + timedelta(seconds=at_s)
    words = {"device_time": at.replace(tzinfo=None).isoformat(), "received_at": at + timedelta(seconds=1)} | kept
    return Reading(
        device=device,
        stream="blood_pressure",
        seq=seq,
        kind="blood_pressure",
        values=(systolic, diastolic, None, 70.0),
        at=at,
        slot=slot,
        **words,
    )


@pytest.fixture
def shard(dsn):
    made = Shard(dsn)
    yield made
    made.conn.close()


def test_every_kind_of_event_is_stored_receipted_and_read_back(shard):
    shard.assign("ecg1", "ada")
    events = (
        chunk(1, 0),
        chunk(2, 1),
        pressure(1, 0.5),
        DeviceStatus(device="ecg1", stream="status", seq=1, at=T0, battery_percent=80),
        Abandoned(device="ecg1", stream="ecg/II", first=1, last=7, reason="disk_full"),
        Deferred(device="ecg1", stream="ecg/I", first=3, last=5),
    )
    shard.pass_time(2)
    shard.send(*events)
    shard.step()
    assert shard.wire.acknowledged == 1
    stored = {(lane.device, lane.stream): lane.stored for r in shard.wire.receipts() for lane in r.lanes}
    assert stored[("ecg1", "ecg/I")] == ((1, 2),)
    assert stored[("cuff1", "blood_pressure")] == ((1, 1),)
    assert stored[("ecg1", "ecg/II")] == ((1, 7),)
    from stream.log_rows import read_batches

    (batch,) = read_batches(shard.conn, 0, 1, 1)
    assert {row.payload for row in batch.rows} >= set(events)


def test_the_same_message_again_changes_nothing_and_is_receipted_again(shard):
    shard.assign("ecg1", "ada")
    shard.send(chunk(1, 0), pressure(1, 0))
    shard.step()
    before = shard.count("ecg"), shard.count("reading")
    shard.send(chunk(1, 0), pressure(1, 0))
    shard.step()
    assert (shard.count("ecg"), shard.count("reading")) == before
    assert len(shard.wire.receipts()) == 2


def test_a_meter_that_sends_its_memory_by_another_gateway_adds_nothing(shard):
    shard.assign("cuff1", "ada")
    shard.send(pressure(1, 0))
    shard.send(pressure(1, 0), client="gw2", epoch="other")
    shard.step()
    assert shard.count("reading") == 1
    assert all(lane.stored == ((1, 1),) for r in shard.wire.receipts() for lane in r.lanes)


def test_the_same_seq_with_other_content_is_a_conflict_by_name(shard):
    shard.assign("ecg1", "ada")
    shard.send(chunk(1, 0))
    shard.step()
    shard.send(chunk(1, 0, samples=b"\1\0" * 250))
    shard.step()
    ((reason,),) = shard.rows("SELECT reason FROM stream.quarantine")
    assert reason == "seq_conflict"
    assert any(f.condition is Condition.SEQ_CONFLICT and f.present for f in shard.findings())


@pytest.mark.parametrize(
    ("poison", "reason"),
    [
        (chunk(1, 0, rate_hz=0.0, index=0, received_at=T0), "impossible"),  # a division by zero in every rule
        (chunk(1, 0, session="a\0b"), "impossible"),  # PostgreSQL takes no NUL in text
        (chunk(1, 86400 * 3650, received_at=T0), "clock_ahead"),  # all later data would be late for ever
        (pressure(1, 0, systolic=float("nan")), "impossible"),  # NaN turns into null on the wire
        (chunk(1, 0, samples=b"\0"), "impossible"),  # half a sample
    ],
)
def test_poison_goes_to_quarantine_by_name_and_the_rest_is_stored(shard, poison, reason):
    shard.assign("ecg1", "ada")
    shard.assign("ecg2", "bob")
    shard.send(poison, chunk(1, 0, device="ecg2"))
    shard.step()
    assert [r for (r,) in shard.rows("SELECT reason FROM stream.quarantine WHERE reason <> 'unknown_device'")] == [
        reason
    ]
    assert shard.count("ecg") == 1
    assert shard.wire.acknowledged == 1
    assert any(f.subject == "gw1" and f.present for f in shard.findings())


def test_garbage_and_a_foreign_client_are_refused_with_their_bytes_kept(shard):
    from gateway.reading import EventBatch
    from gateway.wire import encode_batch

    shard.raw(b"\xff\xfenonsense")
    shard.raw(encode_batch(EventBatch(client="gw9", epoch="e", sent_at=T0, events=())), client="gw1")
    shard.raw(b"x" * 2_000_000)
    shard.step()
    reasons = {r for (r,) in shard.rows("SELECT reason FROM stream.quarantine")}
    assert reasons == {"malformed", "wrong_client", "oversized"}
    assert len(shard.wire.refusals()) == 3


def test_an_unknown_device_is_archived_and_named(shard):
    shard.send(chunk(1, 0))
    shard.step()
    assert shard.count("ecg") == 1
    assert shard.rows("SELECT reason, device FROM stream.quarantine") == [("unknown_device", "ecg1")]
    assert any(f.condition is Condition.UNKNOWN_DEVICE for f in shard.findings())


def test_two_people_on_one_cuff_are_told_apart_and_a_correction_moves_them(shard):
    shard.assign("cuff1", "ada", slot=1)
    shard.assign("cuff1", "bob", slot=2)
    shard.send(pressure(1, 0, 190, 110, slot=1), pressure(2, 5, 118, 76, slot=2), pressure(3, 120, 192, 112, slot=1))
    shard.step(times=2)
    assert shard.rows("SELECT patient, count(*) FROM stream.reading GROUP BY 1 ORDER BY 1") == [("ada", 2), ("bob", 1)]
    crisis = [f for f in shard.findings() if f.condition is Condition.BP_CRISIS]
    assert [(f.subject, f.present) for f in crisis] == [("ada", True)]
    shard.assign("cuff1", "cleo", slot=1)
    shard.step(times=2)
    assert shard.rows("SELECT DISTINCT patient FROM stream.reading ORDER BY 1") == [("bob",), ("cleo",)]
    crisis = [f for f in shard.findings() if f.condition is Condition.BP_CRISIS]
    assert [(f.subject, f.present, f.withdrawn) for f in crisis] == [
        ("ada", True, None),
        ("ada", False, "wrong_person"),
        ("cleo", True, None),
    ]


def test_a_writer_that_was_replaced_writes_nothing_more(dsn):
    old = Shard(dsn)
    old.assign("ecg1", "ada")
    old.send(chunk(1, 0))
    new = Shard(dsn)
    with pytest.raises(Fenced):
        old.step()
    old.conn.close()
    new.send(chunk(1, 0))
    new.step()
    assert new.count("ecg") == 1
    assert new.count("batch") == 1
    new.conn.close()


def test_a_bug_while_reading_a_message_costs_that_message_only(shard, monkeypatch):
    from stream import intake

    def fails(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(intake, "admit_json", fails)
    shard.assign("ecg1", "ada")
    shard.raw(b"{}", leaf="json")
    shard.send(chunk(1, 0))
    shard.step()
    assert shard.count("ecg") == 1
    assert shard.rows("SELECT reason FROM stream.quarantine") == [("malformed",)]


def test_a_step_of_the_servers_clock_is_one_finding_and_never_time_going_back(shard):
    shard.assign("ecg1", "ada")
    for second in range(5):
        shard.send(chunk(second + 1, second))
        shard.step()
    shard.wall += timedelta(hours=1)
    for second in range(5, 20):
        shard.send(chunk(second + 1, second))
        shard.step()
    ticks = [row[0] for row in shard.rows("SELECT tick_at FROM stream.batch ORDER BY position")]
    assert ticks == sorted(set(ticks))
    assert ticks[-1] < T0 + timedelta(seconds=30)
    # The flat signal of this test is a lead that is off; of the clock there is one finding, and nothing is late or silent.
    about = [(f.condition, f.present) for f in shard.findings() if f.condition is not Condition.LEAD_OFF]
    assert about == [(Condition.CLOCK_STEP, True)]


def test_a_full_disk_is_told_and_nothing_is_taken_in_until_there_is_room(shard):
    shard.assign("ecg1", "ada")
    shard.disk_is_low = True
    shard.step()
    shard.disk_is_low = False
    shard.step()
    assert [(f.condition, f.present) for f in shard.findings()] == [
        (Condition.STORE_FULL, True),
        (Condition.STORE_FULL, False),
    ]


def test_what_a_newer_sender_adds_is_kept_whole_and_named(shard):
    import msgspec

    body = msgspec.to_builtins(chunk(1, 0), builtin_types=(bytes,))
    envelope = [
        "batch",
        1,
        {"client": "gw1", "epoch": "e1", "sent_at": T0, "events": [["ecg", 2, {**body, "gain_db": 3}]]},
    ]
    shard.assign("ecg1", "ada")
    shard.raw(msgspec.msgpack.encode(envelope))
    shard.step()
    assert shard.count("ecg") == 1
    assert shard.rows("SELECT type, version, keys FROM stream.unread") == [("ecg", 2, ["gain_db"])]


def test_a_message_without_events_is_answered_with_the_time(shard):
    shard.send()
    shard.step()
    (receipt,) = shard.wire.receipts()
    assert receipt.epoch == "e1"
    assert receipt.lanes == ()


def test_what_the_broker_complains_of_is_a_finding_with_its_count(shard):
    lines = [["denied gw1: Publish Violation"], [], ["too_large gw2: maximum payload exceeded", "denied gw1: again"]]
    shard.writer.complaints = lambda: lines.pop(0) if lines else []
    shard.step(times=3)
    told = [f for f in shard.findings() if f.condition is Condition.BROKER_COMPLAINS]
    assert [f.present for f in told] == [True, True]
    assert told[-1].evidence["count"] == 2
    assert "too_large gw2" in told[-1].evidence["detail"]


def test_a_gateway_with_nothing_to_send_is_not_called_silent(shard):
    for second in range(90):
        if second % 20 == 0:
            shard.send()
        shard.send(client="gone") if second == 0 else None
        shard.step()
    assert [f.subject for f in shard.findings() if f.condition is Condition.LINK_SILENT and f.present] == ["gone"]


def test_an_outbox_that_fills_is_told_from_its_greeting_and_a_restart_forgets_nothing(shard):
    def greet(percent):
        shard.raw(
            encode_batch(EventBatch(client="gw1", epoch="e1", sent_at=shard.wall, events=(), outbox_percent=percent))
        )
        shard.step()

    greet(70)
    shard.restart()
    assert shard.faults == 0
    greet(71)
    greet(30)
    told = [f for f in shard.findings() if f.condition is Condition.OUTBOX_FILLING]
    assert [(f.subject, f.present, f.evidence["outbox_percent"]) for f in told] == [
        ("gw1", True, 70),
        ("gw1", False, 70),
    ]
