"""The way of one event: what is stored of it, who it is of, what was found in it; and a clear word when there is none."""

from __future__ import annotations

import pytest

from alerts.journey import NotFound, trace
from tests.stream.intake_test import pressure
from tests.stream.shard import Shard


def test_a_reading_is_followed_to_what_was_found_in_it(dsn):
    shard = Shard(dsn)
    shard.assign("cuff1", "ada")
    shard.send(pressure(1, 0, 190, 112))
    shard.step(times=2)
    lines = trace(shard.conn, "cuff1/blood_pressure/1")
    shard.conn.close()
    text = "\n".join(lines)
    assert "client gw1, epoch e1" in text
    assert "position 1 of shard 0" in text
    assert "bp_crisis_unconfirmed (present)" in text
    assert [line.split()[0] for line in lines[1:7]] == ["device", "heard", "sent", "stored", "judged", "patient"]


@pytest.mark.parametrize("name", ["cuff1/blood_pressure/9", "0badcafe"])
def test_what_is_not_stored_is_said_to_be_missing(dsn, name):
    shard = Shard(dsn)
    with pytest.raises(NotFound):
        trace(shard.conn, name)
    shard.conn.close()
