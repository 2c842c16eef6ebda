"""One log, two runners: what the embedded writer stored is what the log runner finds, in partitions and over handovers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.reading import Deferred
from stream import judge as judging
from stream.command import AssignmentChanged, LimitsChanged
from stream.finding import Condition
from stream.log_file import BadLog, Bench, read, writing
from stream.log_rows import read_batches
from stream.log_runner import run_log
from stream.verdicts import encode
from tests.stream.intake_test import pressure
from tests.stream.logs import split
from tests.stream.shard import T0, Shard
from tests.stream.ward_test import RATE, excerpt


@pytest.fixture
def recorded(dsn, records, monkeypatch):
    """A live log with a hole, late data, a corrected assignment, changed limits, a VF and a benched patient."""
    real = judging.ecg_statements.silence

    def fails(lane, limits, moment):
        if lane.chart.patient == "dan" and lane.chart.next_index > 6000:
            raise ZeroDivisionError("in a detector")
        return real(lane, limits, moment)

    monkeypatch.setattr(judging.ecg_statements, "silence", fails)
    shard = Shard(dsn)
    vf, calm = excerpt(records, "cudb/cu01", 180, 250), excerpt(records, "cudb/cu01", 0, 70)
    devices = ("d-vf", "d-hole", "d-late", "d-dan", "d-moved")
    lanes = {d: split(vf if d == "d-vf" else calm, RATE, [250], device=d) for d in devices}
    for device, patient in (
        ("d-vf", "ada"),
        ("d-hole", "bob"),
        ("d-late", "cleo"),
        ("d-dan", "dan"),
        ("d-moved", "eve"),
    ):
        shard.assign(device, patient)
    shard.assign("cuff1", "ada", slot=1)
    shard.assign("cuff1", "bob", slot=2)
    for second in range(70):
        now = {d: chunks[second] for d, chunks in lanes.items()}
        if 20 <= second < 23:
            del now["d-hole"]
        if 30 <= second < 50:
            del now["d-late"]
        shard.pass_time(1)
        for event in now.values():
            shard.send(event, client=f"gw-{event.device}")
        if second == 26:
            shard.send(*lanes["d-hole"][20:23], client="gw-d-hole")
        if second == 30:
            shard.send(Deferred(device="d-late", stream="ecg/I", first=31, last=50), client="gw-d-late")
        if second == 55:
            shard.send(*lanes["d-late"][30:50], client="gw-d-late")
        if second == 10:
            shard.send(pressure(1, 8, 190, 112), pressure(2, 9, 120, 80, slot=2), client="gw-cuff")
        if second == 40:
            shard.tell(
                LimitsChanged(
                    patient="ada", plan_version=2, limits={"bp_crisis_systolic_mmhg": 200.0, "no_data_s": 20.0}
                )
            )
        if second == 60:
            shard.tell(AssignmentChanged(device="d-moved", slot=None, patient="fay", from_at=T0 - timedelta(days=1)))
        shard.step(0)
    for _ in range(60):
        shard.step()
    yield shard
    shard.conn.close()


@pytest.mark.parametrize(("partitions", "handovers"), [(1, 0), (4, 10)])
def test_the_log_runner_finds_what_the_embedded_runner_stored(recorded, tmp_path, partitions, handovers):
    path = tmp_path / "live.twlog"
    last = recorded.writer.position
    with writing(path, []) as put:
        for batch in read_batches(recorded.conn, 0, 1, last):
            put(batch)
    benched, batches = read(path)
    found = [
        f
        for _, findings in run_log(list(batches), benched, partitions=partitions, handovers=handovers)
        for f in findings
    ]
    stored = recorded.findings()
    assert [encode(f) for f in found] == [encode(f) for f in stored]
    shown = {(f.subject, f.condition) for f in stored}
    assert ("ada", Condition.VF) in shown
    assert ("dan", Condition.DETECTOR_FAILED) in shown
    assert ("ada", Condition.BP_CRISIS_UNCONFIRMED) in shown


def test_a_log_that_is_cut_off_says_so(tmp_path):
    path = tmp_path / "a.twlog"
    with writing(path, [Bench(position=1, patient="p", why="w")]) as put:
        del put
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(BadLog, match=r"a\.twlog"):
        list(read(path)[1])


def test_restarts_of_the_writer_leave_the_rows_of_the_undisturbed_run(dsn, postgres, template, records):
    from tests.conftest import _database

    vf = split(excerpt(records, "cudb/cu01", 180, 250), RATE, [250])

    def play(on: str, restarts: set[int]) -> list[bytes]:
        shard = Shard(on)
        shard.assign("ecg1", "ada")
        for second, chunk in enumerate(vf):
            shard.pass_time(1)
            if second not in range(30, 33):
                shard.send(chunk)
            if second == 34:
                shard.send(*vf[30:33])
            shard.step(0)
            if second in restarts:
                shard.restart()
                assert shard.faults == 0
        rows = [encode(f) for f in shard.findings()]
        shard.conn.close()
        return rows

    with _database(postgres, template) as other:
        assert play(dsn, {3, 31, 33, 34, 45, 60, 61}) == play(other, set())
