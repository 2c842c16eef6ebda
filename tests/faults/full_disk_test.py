"""A full disk and an overload: intake stops taking in, says so, and goes on by itself; the outboxes hold meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.faults.house import House, house, until
from tests.faults.people import ward

SECONDS = 60


def test_a_full_disk_is_told_holds_everything_back_and_recovers_by_itself() -> None:
    people = ward(6, SECONDS)
    with house() as home:
        home.settle(people, datetime.now(UTC) - timedelta(minutes=5))
        zero = datetime.now(UTC) - timedelta(seconds=SECONDS)
        home.world.do(home.world.hear(people, range(20), zero))
        home.receipted()
        home.arm("free_mb", "5")
        until(lambda: is_said(home), "the full disk is said")
        until(
            lambda: home.ask("SELECT 1 FROM alerts.alert WHERE condition = 'store_full' AND state <> 'closed'"),
            "somebody told",
        )
        before = rows(home)
        home.world.do(home.world.hear(people, range(20, SECONDS), zero))
        waiting = home.unsent
        stored, _ = home.positions()
        assert home.unsent == waiting > 0
        home.note(f"full: {before} rows stay {before}, outboxes hold {waiting}")

        starts = "SELECT count(*) FROM stream.start WHERE child = 'intake'"
        ((before_it,),) = home.ask(starts)
        home.kill("intake")  # a restart makes no room
        until(lambda: home.ask(starts) > [(before_it,)], "intake has taken the shard over again")
        assert rows(home) == before
        assert home.positions()[0] <= stored + 1  # the log stands still
        assert is_said(home)

        home.disarm("free_mb")
        until(lambda: not is_said(home), "room again is said")
        home.receipted()
        home.all_judged()
        assert {lane: (seq, seq) for lane, seq in home.sent().items()} == home.stored()
        assert home.call("GET", "/api/v1/ledger")["unaccounted"] == 0
        assert home.ask(
            "SELECT count(*) FROM stream.episode WHERE subject = 'p000' AND condition = 'vf' AND present"
        ) == [(1,)]
        until(
            lambda: not home.ask("SELECT 1 FROM alerts.alert WHERE condition = 'store_full' AND state <> 'closed'"),
            "the alert over",
        )
        home.note(f"recovered: {rows(home)} rows")


def is_said(home: House) -> bool:
    """Whether a finding says that the disk is full."""
    return home.ask("SELECT count(*) FROM stream.episode WHERE condition = 'store_full' AND present") == [(1,)]


def rows(home: House) -> int:
    """How much is archived."""
    return sum(count for count, _ in home.stored().values())
