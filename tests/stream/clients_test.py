"""What is said of gateways and of the server itself: raised by a row of the log, counted, and over with its cause or in calm."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.reading import Abandoned, DeviceId, StreamName
from stream.batch import Admitted, Batch, Greeted, Noticed, Quarantined, Reason, Trouble
from stream.clients import CALM_US, GROWING, QUARANTINE, SHRUNK, TROUBLES, Clients, pack, unpack
from stream.finding import Condition, Finding
from stream.instants import SECOND
from tests.stream.shard import T0

CALM_S = CALM_US // SECOND


class House:
    """The book, told row by row; taken from its bytes before each."""

    def __init__(self) -> None:
        self.book = Clients()
        self.second = 0

    def hear(self, *payloads: object, after_s: int = 1) -> list[Finding]:
        """What is said over so many seconds, the rows coming in the last."""
        said: list[Finding] = []
        for left in reversed(range(after_s)):
            self.second += 1
            is_last = left == 0
            tick = T0 + timedelta(seconds=self.second)
            rows = tuple(
                Admitted(ord=n, client="gw1", epoch="e1", received_at=tick, payload=p) for n, p in enumerate(payloads)
            )
            self.book = unpack(pack(self.book))
            said += self.book.observe(Batch(shard=0, position=self.second, tick=tick, rows=rows if is_last else ()))
        return said


def bad(reason: Reason) -> Quarantined:
    return Quarantined(client="gw1", reason=reason, digest="00", at_fault="what was wrong")


def of(said: list[Finding], condition: Condition) -> list[tuple[bool, object]]:
    return [(f.present, f.evidence.get("count")) for f in said if f.condition is condition]


@pytest.mark.parametrize("reason", QUARANTINE)
def test_what_cannot_be_admitted_is_said_counted_and_over_after_ten_calm_minutes(reason: Reason) -> None:
    house, condition = House(), QUARANTINE[reason]
    assert of(house.hear(bad(reason)), condition) == [(True, 1)]
    assert of(house.hear(bad(reason), after_s=300), condition) == [(True, 2)]
    assert of(house.hear(after_s=CALM_S - 1), condition) == []
    assert of(house.hear(after_s=1), condition) == [(False, 2)]


def test_data_given_up_is_said_with_how_much() -> None:
    house = House()
    lost = Abandoned(device=DeviceId("h10"), stream=StreamName("ecg/I"), first=11, last=30, reason="ring full")
    assert of(house.hear(lost), Condition.DATA_ABANDONED) == [(True, 20)]
    assert of(house.hear(lost), Condition.DATA_ABANDONED) == [(True, 40)]
    assert of(house.hear(after_s=CALM_S), Condition.DATA_ABANDONED) == [(False, 40)]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_the_server_notices_of_itself_is_over_when_it_says_so(trouble: Trouble) -> None:
    house, condition = House(), TROUBLES[trouble]
    said = house.hear(Noticed(trouble=trouble, present=True, detail="why"))
    assert of(said, condition) == [(True, 1)]
    assert said[0].subject == "server"
    assert of(house.hear(Noticed(trouble=trouble, present=False)), condition) == [(False, 1)]


@pytest.mark.parametrize(
    ("trouble", "stays"),
    [(Trouble.OVERLOADED, True), (Trouble.STORE_FULL, True), (Trouble.BROKER, False), (Trouble.CLOCK_STEP, False)],
)
def test_a_full_disk_is_not_over_because_nobody_mentions_it_again(trouble: Trouble, stays: bool) -> None:
    house = House()
    house.hear(Noticed(trouble=trouble, present=True))
    assert (of(house.hear(after_s=CALM_S + 1), TROUBLES[trouble]) == []) is stays


def test_a_client_is_silent_after_a_minute_and_heard_again() -> None:
    house = House()
    house.hear(bad(Reason.MALFORMED))
    assert of(house.hear(after_s=59), Condition.LINK_SILENT) == []
    assert of(house.hear(after_s=1), Condition.LINK_SILENT) == [(True, 1)]
    assert of(house.hear(bad(Reason.MALFORMED)), Condition.LINK_SILENT) == [(False, 1)]


def test_an_outbox_that_fills_is_told_by_tenths_and_over_when_it_has_emptied() -> None:
    house = House()
    said = [one for percent in (0, 49, 50, 55, 61, 58, 45, 41) for one in house.hear(Greeted(outbox_percent=percent))]
    assert [f.evidence["outbox_percent"] for f in said] == [50, 61, 58, 45]
    assert {(f.subject, f.condition, f.present) for f in said} == {("gw1", Condition.OUTBOX_FILLING, True)}
    assert of(house.hear(Greeted(), after_s=CALM_S), Condition.OUTBOX_FILLING) == [], (
        "to say nothing of it says nothing of it"
    )
    assert [f.present for f in house.hear(Greeted(outbox_percent=40))] == [False]


def test_much_in_quarantine_within_an_hour_is_said_whoever_sent_it() -> None:
    house = House()
    growing = Condition.QUARANTINE_GROWING

    def hear(count: int, after_s: int = 1) -> list[tuple[bool, object]]:
        said = house.hear(*(bad(Reason.MALFORMED) for _ in range(count)), after_s=after_s)
        return [(f.present, f.evidence["within_hour"]) for f in said if f.condition is growing]

    assert hear(GROWING - 1) == []
    assert hear(1, after_s=60) == [(True, GROWING)]
    assert hear(GROWING - 1) == []
    assert hear(1) == [(True, 2 * GROWING)]
    house.hear(after_s=1800)
    assert hear(SHRUNK) == []
    # Both hundreds fall out of the hour: fifty are left.
    assert hear(0, after_s=1810) == [(False, 2 * GROWING)]


def test_little_at_a_time_is_no_growth() -> None:
    house = House()
    for _ in range(30):
        said = house.hear(*(bad(Reason.MALFORMED) for _ in range(3)), after_s=120)
        assert Condition.QUARANTINE_GROWING not in {f.condition for f in said}
