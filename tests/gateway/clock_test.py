"""When the gateway believes its clock, on clocks that the test turns by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.clock import Clocks, GatewayClock
from tests.gateway.made import SECOND, START


class Hands:
    """A wall clock that may be wrong by any amount, and a monotonic one."""

    def __init__(self, wrong_by: timedelta = timedelta(0)) -> None:
        self.passed_s, self.wrong_by, self.ntp = 0.0, wrong_by, False

    @property
    def true(self) -> datetime:
        return START + timedelta(seconds=self.passed_s)

    def clock(self) -> GatewayClock:
        return GatewayClock(
            Clocks(
                wall=lambda: self.true + self.wrong_by,
                monotonic_ns=lambda: round((500 + self.passed_s) * SECOND),
                synchronised=lambda: self.ntp,
                boot="b",
            )
        )


def test_unknown_until_ntp_or_the_server_agrees() -> None:
    hands = Hands()
    clock = hands.clock()
    assert not clock.is_right()
    hands.ntp = True
    assert clock.is_right()
    hands.ntp = False
    clock.heard_server(hands.true - timedelta(milliseconds=900))
    assert clock.is_right()
    assert clock.right_at(500 * SECOND) == START


def test_a_gateway_in_1970_takes_the_servers_time_once_two_receipts_agree() -> None:
    hands = Hands(datetime(1970, 1, 1, tzinfo=UTC) - START)
    clock = hands.clock()
    clock.heard_server(hands.true)
    assert not clock.is_right()
    hands.passed_s = 10
    clock.heard_server(hands.true)
    assert clock.is_right()
    # The wall clock itself is as wrong as before: what is stamped by it must still be dated.
    assert not clock.wall_is_right()
    # Something heard 7 s ago, by the clock that never steps.
    assert abs(clock.right_at(503 * SECOND) - (START + timedelta(seconds=3))) < timedelta(seconds=1)


def test_a_receipt_that_waited_an_hour_in_a_queue_is_not_believed() -> None:
    hands = Hands(timedelta(days=-400))
    clock = hands.clock()
    hands.passed_s = 3600
    clock.heard_server(START)
    assert not clock.is_right()
    clock.heard_server(hands.true)
    assert not clock.is_right()
    hands.passed_s = 3605
    clock.heard_server(hands.true)
    assert clock.is_right()
    assert abs(clock.right_at(round((500 + 3605) * SECOND)) - hands.true) < timedelta(seconds=1)
