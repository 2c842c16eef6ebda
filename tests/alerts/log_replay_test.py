"""One log, two runners, the same alerts: what the station made of the live rows and what a replay of the log makes of it."""

from __future__ import annotations

from alerts import listening
from alerts.replaying import replay_alerts
from stream.log_file import read, writing
from stream.log_rows import read_batches
from stream.log_runner import run_log
from tests.stream.log_runner_test import recorded  # noqa: F401 - a fixture


def test_a_replayed_log_raises_the_alerts_of_the_live_one(recorded, tmp_path):  # noqa: F811 - the fixture
    shard = recorded
    while listening.hear(shard.conn, shard.wall):
        pass
    live = shard.rows("SELECT alert, subject, condition, tier FROM alerts.alert ORDER BY alert")
    path = tmp_path / "live.twlog"
    with writing(path, []) as put:
        for batch in read_batches(shard.conn, 0, 1, shard.writer.position):
            put(batch)
    benched, batches = read(path)
    found = [f for _, said in run_log(list(batches), benched, partitions=4, handovers=10) for f in said]
    again = {
        (a.alert, a.finding.subject, str(a.finding.condition), str(a.tier))
        for a in replay_alerts(found)
        if a.generation == 0
    }
    assert len(live) >= 4
    assert again == set(live)
