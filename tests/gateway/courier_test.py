"""The courier against a network that loses, doubles and reorders: all is receipted, never beyond the window."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import ranges
from gateway.courier import FIRST_PATIENCE_S, Courier, Sending
from gateway.lane import Gap, Kept, LaneName, LaneState
from gateway.reading import Abandoned, AbandonReason, Deferred, DeviceId, Epoch, LaneReceipt, Receipt, StreamName
from tests.gateway.made import START

if TYPE_CHECKING:
    from gateway.ranges import Ranges

ECG = LaneName(DeviceId("H10"), StreamName("ecg/I"))
PRESSURE = LaneName(DeviceId("CUFF"), StreamName("blood_pressure"))
WALL = 1_800_000_000.0


def kept(lane: LaneName, seq: int, heard_s: float = WALL) -> Kept:
    return Kept(lane=lane, seq=seq, waveform=lane == ECG, heard_s=heard_s)


def receipt(stored: dict[LaneName, Ranges], number: int = 0) -> Receipt:
    lanes = tuple(LaneReceipt(device=n.device, stream=n.stream, stored=s) for n, s in stored.items())
    return Receipt(epoch=Epoch("e"), lanes=lanes, server_time=START + timedelta(seconds=number))


def numbers(sending: Sending, lane: LaneName = ECG) -> list[int]:
    return [seq for name, a, b in sending.parts if name == lane for seq in range(a, b + 1)]


def online(count: int = 0, *, window: int = 256) -> Courier:
    courier = Courier([], window=window)
    courier.kept(kept(ECG, seq) for seq in range(1, count + 1))
    courier.connected(0.0, WALL)
    return courier


def test_nothing_is_sent_while_offline_and_nothing_twice_while_it_waits() -> None:
    courier = Courier([])
    courier.kept([kept(ECG, 1)])
    assert courier.due(0.0, WALL).is_empty
    courier.connected(0.0, WALL)
    assert numbers(courier.due(0.0, WALL)) == [1]
    assert courier.due(1.0, WALL).is_empty


def test_a_hole_in_a_receipt_is_sent_again_at_once_and_alone() -> None:
    courier = online(10)
    for _ in range(10):
        courier.due(0.0, WALL, most=1)
    courier.receipt(receipt({ECG: ((1, 3), (6, 8))}), 1.0)
    # 9 and 10 were sent after 8: they may be under way still.
    assert numbers(courier.due(1.0, WALL)) == [4, 5]


def test_a_hole_that_was_sent_again_waits_for_that_one() -> None:
    courier = online(3)
    for _ in range(3):
        courier.due(0.0, WALL, most=1)
    courier.receipt(receipt({ECG: ((2, 3),)}), 1.0)
    assert numbers(courier.due(1.0, WALL)) == [1]
    courier.receipt(receipt({ECG: ((2, 3),)}, 1), 1.1)
    assert not numbers(courier.due(1.1, WALL))


def test_silence_goes_back_after_5_s_doubling_to_60() -> None:
    courier = online(1)
    sent = [t / 2 for t in range(500) if numbers(courier.due(t / 2, WALL))]
    assert sent == [0.0, 5.0, 15.0, 35.0, 75.0, 135.0, 195.0]


def test_a_lost_last_message_is_sent_again_though_another_lane_moves() -> None:
    courier = online()
    courier.kept([kept(PRESSURE, 1)])
    assert numbers(courier.due(0.0, WALL), PRESSURE) == [1]
    for second in range(1, 7):
        courier.kept([kept(ECG, second)])
        sending = courier.due(float(second), WALL)
        assert (numbers(sending, PRESSURE) == [1]) == (second == FIRST_PATIENCE_S)
        courier.receipt(receipt({ECG: ((1, second),)}, second), second + 0.5)


def test_hello_and_connection_go_back_to_the_lowest() -> None:
    courier = online(5)
    courier.due(0.0, WALL)
    courier.hello(1.0, WALL)
    assert numbers(courier.due(1.0, WALL)) == [1, 2, 3, 4, 5]
    courier.disconnected()
    courier.connected(2.0, WALL)
    assert numbers(courier.due(2.0, WALL)) == [1, 2, 3, 4, 5]


def test_two_minutes_of_backlog_go_in_order_ahead_of_the_present() -> None:
    courier = Courier([])
    courier.kept(kept(ECG, seq, WALL - 118 + seq) for seq in range(1, 118))
    courier.connected(0.0, WALL)
    sending = courier.due(0.0, WALL)
    assert not sending.notices
    assert numbers(sending) == list(range(1, 118))


def test_an_hour_is_deferred_then_the_present_then_readings_then_waveform_at_a_bounded_rate() -> None:
    courier = Courier([])
    courier.kept(kept(ECG, seq, WALL - 3600 + seq) for seq in range(1, 3601))
    courier.kept(kept(PRESSURE, seq, WALL - 3600 + 600 * seq) for seq in range(1, 6))
    courier.connected(100.0, WALL)
    first = courier.due(100.0, WALL)
    deferred = {n.device: (n.first, n.last) for n in first.notices if isinstance(n, Deferred)}
    assert deferred == {"H10": (1, 3580), "CUFF": (1, 5)}
    # What led to now counts as now; then readings, then as much old waveform as a second may carry.
    sent = [(lane, seq) for lane, a, b in first.parts for seq in range(a, b + 1)]
    assert sent[:20] == [(ECG, seq) for seq in range(3581, 3601)]
    assert sent[20:25] == [(PRESSURE, seq) for seq in range(1, 6)]
    assert [seq for _, seq in sent[25:]] == list(range(1, 60))
    courier.kept([kept(ECG, 3601, WALL + 1)])
    second = courier.due(101.0, WALL + 1)
    assert numbers(second)[0] == 3601
    assert len(numbers(second)) <= 65


def test_the_present_has_room_beside_a_backlog() -> None:
    courier = Courier([], window=100, backlog_per_s=1000)
    courier.kept(kept(ECG, seq, WALL - 3600 + seq) for seq in range(1, 3601))
    courier.connected(100.0, WALL)
    for step in range(20):
        courier.due(100.0 + step * 0.1, WALL)
    assert courier.under_way <= 75 + 21
    courier.kept([kept(ECG, 3601, WALL)])
    assert numbers(courier.due(102.0, WALL)) == [3601]


def test_given_up_ranges_are_reported_until_a_receipt_covers_them() -> None:
    courier = online(3)
    courier.gave_up([Gap(lane=ECG, first=1, last=2, reason=AbandonReason.DISK_FULL)])
    first = courier.due(0.0, WALL)
    told = Abandoned(device=ECG.device, stream=ECG.stream, first=1, last=2, reason=AbandonReason.DISK_FULL)
    assert (first.notices, numbers(first)) == ((told,), [3])
    assert not courier.due(1.0, WALL).notices
    assert courier.due(5.0, WALL).notices == (told,)
    courier.receipt(receipt({ECG: ((1, 3),)}), 6.0)
    assert courier.all_is_sent
    assert courier.due(100.0, WALL).is_empty


def test_what_the_server_lost_after_a_receipt_is_named() -> None:
    courier = online(10)
    courier.due(0.0, WALL)
    courier.receipt(receipt({ECG: ((1, 8),)}, 5), 1.0)
    # An older backup was restored: it ends at 4. Nothing is said until a later event shows the hole.
    assert courier.receipt(receipt({ECG: ((1, 4),)}, 6), 2.0) == []
    (settled,) = courier.receipt(receipt({ECG: ((1, 4), (9, 9))}, 7), 3.0)
    assert (settled.safe, settled.lost) == (((9, 9),), ((5, 8),))


def test_a_receipt_too_full_to_name_the_lowest_ranges_says_nothing_of_them() -> None:
    courier = online(2000, window=3000)
    courier.due(0.0, WALL, most=3000)
    courier.receipt(receipt({ECG: ((1, 900),)}, 5), 1.0)
    full = tuple((n, n) for n in range(901, 1901, 2))
    assert [s.lost for s in courier.receipt(receipt({ECG: full}, 6), 2.0)] == [()]
    assert [s.lost for s in courier.receipt(receipt({ECG: full[1:]}, 7), 3.0)] == [((1, 901),)]


def test_an_overtaken_receipt_takes_nothing_back() -> None:
    courier = online(10)
    courier.due(0.0, WALL)
    courier.receipt(receipt({ECG: ((1, 8),)}, 5), 1.0)
    assert courier.receipt(receipt({ECG: ((1, 2), (4, 5))}, 3), 2.0) == []


def test_a_restart_goes_on_from_the_file() -> None:
    gap = Gap(lane=ECG, first=2, last=3, reason=AbandonReason.DAMAGED)
    state = LaneState(lane=ECG, next_seq=8, waveform=True, held=((4, 7),), ages=((4, WALL),), gaps=(gap,))
    courier = Courier([state])
    courier.connected(0.0, WALL)
    sending = courier.due(0.0, WALL)
    assert numbers(sending) == [4, 5, 6, 7]
    assert [(n.first, n.last) for n in sending.notices] == [(2, 3)]
    (settled,) = courier.receipt(receipt({ECG: ((4, 7),)}), 1.0)
    assert settled.lost == ((1, 1),)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), window=st.integers(1, 40), total=st.integers(1, 120))
def test_any_loss_doubling_and_reordering_ends_with_everything_receipted(  # noqa: PLR0912 - a network in one place
    data: st.DataObject, window: int, total: int
) -> None:
    """A hostile network for a while, then a good one; a lane of ECG, one of readings, ranges given up in between."""
    courier = Courier([], window=window)
    stored: dict[LaneName, Ranges] = {ECG: (), PRESSURE: ()}
    wire_up: list[tuple[LaneName, int, int]] = []
    receipts: list[Receipt] = []
    committed = dict.fromkeys(stored, 0)
    given_up: dict[LaneName, Ranges] = dict.fromkeys(stored, ())
    now = 0.0
    courier.connected(now, WALL)
    for step in range(400):
        hostile = step < 60
        now += data.draw(st.floats(0.1, 3)) if hostile else 5.0
        for lane in stored:
            if committed[lane] < total and (not hostile or data.draw(st.booleans())):
                more = range(committed[lane] + 1, min(total, committed[lane] + 20) + 1)
                courier.kept(kept(lane, seq, WALL + now) for seq in more)
                committed[lane] = more[-1]
        if hostile and committed[ECG] and data.draw(st.integers(0, 9)) == 0:
            seq = data.draw(st.integers(1, committed[ECG]))
            if not ranges.contains(stored[ECG], seq):
                courier.gave_up([Gap(lane=ECG, first=seq, last=seq, reason=AbandonReason.DISK_FULL)])
                given_up[ECG] = ranges.add(given_up[ECG], seq, seq)
        match data.draw(st.integers(0, 12)) if hostile else 12:
            case 0:
                courier.disconnected()
                wire_up.clear()
                courier.connected(now, WALL + now)
            case 1:
                courier.hello(now, WALL + now)
        sending = courier.due(now, WALL + now)
        assert courier.under_way <= window
        assert sum(b - a + 1 for _, a, b in sending.parts) <= window
        wire_up += sending.parts
        wire_up += [
            (LaneName(n.device, n.stream), n.first, n.last) for n in sending.notices if isinstance(n, Abandoned)
        ]
        if hostile:
            wire_up = data.draw(st.permutations(wire_up)) if len(wire_up) < 6 else wire_up
        for lane, first, last in wire_up:
            for _ in range(data.draw(st.integers(0, 2)) if hostile else 1):
                stored[lane] = ranges.add(stored[lane], first, last)
        wire_up = []
        receipts.append(receipt(dict(stored), step))
        if not hostile or data.draw(st.booleans()):
            for told in data.draw(st.permutations(receipts)) if hostile and len(receipts) < 4 else receipts:
                for settled in courier.receipt(told, now):
                    assert settled.lost == ()
                    assert ranges.subtract(settled.safe, stored[settled.lane]) == ()
            receipts = []
        if not hostile and courier.all_is_sent and committed == dict.fromkeys(stored, total):
            break
    assert courier.all_is_sent
    assert courier.unsent == 0
    assert stored == dict.fromkeys(stored, ((1, total),))
