"""Committed first, then acknowledged and receipted; and what is repeated changes nothing."""

from __future__ import annotations

import pytest

from gateway.reading import Reading
from stream.archive import Fenced
from tests.stream.shard import T0, Shard, chunk


def test_what_is_not_committed_is_neither_acknowledged_nor_receipted(dsn):
    old = Shard(dsn)
    old.assign("ecg1", "ada")
    old.send(chunk(1, 0))
    new = Shard(dsn)
    with pytest.raises(Fenced):
        old.step()
    assert old.wire.acknowledged == 0
    assert old.wire.told == []
    # What was taken from the queue waits for the next commit.
    assert len(old.writer.pending) == 1
    old.conn.close()
    new.send(chunk(1, 0))
    new.step()
    assert new.wire.acknowledged == 1
    assert [lane.stored for receipt in new.wire.receipts() for lane in receipt.lanes] == [((1, 1),)]
    new.conn.close()


def test_contents_that_are_stored_already_are_no_error(dsn):
    """A meter that sends its memory again under new numbers: refused by the store it would be a fault of the meter."""
    shard = Shard(dsn)
    shard.assign("cuff1", "ada")
    reading = {
        "device": "cuff1",
        "stream": "blood_pressure",
        "kind": "blood_pressure",
        "values": (120.0, 80.0, None, 70.0),
        "at": T0,
        "device_time": "2026-11-24T08:00:00",
    }
    shard.send(Reading(seq=1, **reading))
    shard.step()
    shard.send(Reading(seq=2, **reading))
    shard.step()
    assert shard.count("reading") == 1
    assert shard.count("quarantine") == 0
    assert shard.wire.receipts()[-1].lanes[0].stored == ((1, 2),)
    shard.conn.close()
