"""The cuff's conversation: slots, flags, units, and how a measurement is dated by a clock that may be wrong."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from gateway.codecs import blood_pressure, date_time
from gateway.codecs.blood_pressure import BloodPressure
from gateway.codecs.date_time import DeviceTime
from gateway.reading import AtSource, DeviceId, DeviceStatus, Flag, Reading
from gateway.sessions.cuff import CURRENT_TIME, CuffSession
from gateway.sessions.session import Moment, Step, moment_of
from tests.gateway.made import START, packet

BERLIN = timezone(timedelta(hours=1))


def connected(*, right: bool = True, zone: timezone = BERLIN) -> CuffSession:
    session = CuffSession(DeviceId("CUFF-1"), zone)
    session.start(Moment(at=START, monotonic_ns=1000 * 10**9, right=right), "c1")
    return session


def measured(shown: datetime | DeviceTime | None, **more: object) -> bytes:
    time = date_time.of(shown) if isinstance(shown, datetime) else shown
    fields: dict[str, object] = {"systolic": 140.0, "diastolic": 90.0, "mean_arterial": None, "time": time, **more}
    return blood_pressure.encode(BloodPressure(**fields))  # type: ignore[arg-type]


def reading(step: Step) -> Reading:
    (found,) = [d.event for d in step.drafts if isinstance(d.event, Reading)]
    return found


def local(after_s: float) -> datetime:
    """What a right cuff in Berlin shows."""
    return (START + timedelta(seconds=after_s)).astimezone(BERLIN).replace(tzinfo=None)


def test_a_real_packet() -> None:
    real = packet("2A35", bytes.fromhex("de88f420f3ff07e4070113163700bcf2014401"))
    got = reading(connected().packet(real))
    assert got.values == (116.0, 80.0, None, 70.0)
    assert got.slot == 1
    assert got.flags == (Flag.IRREGULAR_PULSE,)
    assert got.device_time == "2020-01-19T22:55:00"
    assert got.at.isoformat() == "2020-01-19T21:55:00+00:00"


def test_kilopascals_become_mmhg() -> None:
    assert reading(connected().packet(packet("2A35", bytes.fromhex("15bdf00b009ff03c001200")))).values == (
        141.8,
        82.5,
        119.3,
        60.0,
    )


def test_a_right_clock_dates_it() -> None:
    got = reading(connected().packet(packet("2A35", measured(local(-60)), 5)))
    assert (got.at, got.at_source) == (START - timedelta(seconds=60), AtSource.DEVICE)
    assert got.connection is None


def test_a_memory_of_yesterday_by_a_clock_ten_years_ahead() -> None:
    # It showed 2036 before we set it; what it measured before then is dated by that.
    session = connected()
    ahead = timedelta(days=3650)
    now = date_time.encode_current_time(date_time.current_time_of(local(0) + ahead))
    told = session.packet(packet(CURRENT_TIME, now))
    assert [d.event.clock_offset_s for d in told.drafts if isinstance(d.event, DeviceStatus)] == [ahead.total_seconds()]
    old = reading(session.packet(packet("2A35", measured(local(-86400) + ahead), 5)))
    assert (old.at, old.at_source) == (START - timedelta(days=1), AtSource.DEVICE)
    new = reading(session.packet(packet("2A35", measured(local(60)), 65)))
    assert (new.at, new.at_source) == (START + timedelta(seconds=60), AtSource.DEVICE)


def test_a_clock_that_cannot_be_is_dated_by_arrival_and_said() -> None:
    step = connected().packet(packet("2A35", measured(local(0) + timedelta(days=3650)), 5))
    got = reading(step)
    assert (got.at, got.at_source) == (START + timedelta(seconds=5), AtSource.ESTIMATED)
    assert got.device_time == "2036-11-21T09:00:00"
    assert any(isinstance(d.event, DeviceStatus) and "dated by arrival" in (d.event.note or "") for d in step.drafts)


def test_without_a_clock_the_connection_is_the_identity() -> None:
    got = reading(connected().packet(packet("2A35", measured(None), 5)))
    assert (got.at, got.at_source, got.connection, got.device_time) == (
        START + timedelta(seconds=5),
        AtSource.ARRIVAL,
        "c1",
        None,
    )
    unknown = DeviceTime(year=0, month=4, day=17, hour=20, minute=41, second=59)
    got = reading(connected().packet(packet("2A35", measured(unknown), 5)))
    assert (got.at_source, got.connection, got.device_time) == (AtSource.ARRIVAL, "c1", "0000-04-17T20:41:59")


def test_doubled_indications_are_dropped_by_their_time_and_only_by_it() -> None:
    session = connected()
    dated, undated = packet("2A35", measured(local(0)), 5), packet("2A35", measured(None), 6)
    assert len(session.packet(dated).drafts) == 1
    assert not session.packet(dated).drafts
    # Equal without a time may be two measurements: kept, the server's content hash decides.
    assert session.packet(undated).drafts
    assert session.packet(undated).drafts


def test_the_deflating_pressure_is_never_a_reading() -> None:
    assert connected().packet(packet("2A36", measured(local(0)), 5)) == Step()


def test_a_cuffs_clock_is_set_in_local_time_and_only_by_a_right_clock() -> None:
    session = CuffSession(DeviceId("CUFF-1"), BERLIN)
    (write,) = session.start(Moment(at=START, monotonic_ns=0), "c1").writes
    assert date_time.decode_current_time(write.data).time.text == "2026-11-24T09:00:00"
    assert write.may_fail
    assert not session.start(
        Moment(at=datetime(1970, 1, 1, tzinfo=START.tzinfo), monotonic_ns=0, right=False), "c2"
    ).writes


def test_a_gateway_in_1970_dates_by_what_the_cuff_showed_on_connecting() -> None:
    session = CuffSession(DeviceId("CUFF-1"), BERLIN)
    boot = datetime(1970, 1, 1, tzinfo=START.tzinfo)
    session.start(Moment(at=boot, monotonic_ns=1000 * 10**9, right=False), "c1")
    now = date_time.encode_current_time(date_time.current_time_of(local(0)))
    session.packet(packet(CURRENT_TIME, now, at=boot))
    got = reading(session.packet(packet("2A35", measured(local(-60)), 5, at=boot)))
    # In the gateway's own, wrong time: the outbox moves both together once it knows better.
    assert got.at == boot - timedelta(seconds=60)
    assert got.at_source is AtSource.DEVICE


def test_a_failed_measurement_is_questionable() -> None:
    got = reading(connected().packet(packet("2A35", measured(local(0), systolic=None, status=0b111111), 5)))
    assert got.values[0] is None
    assert set(got.flags) == {
        Flag.BODY_MOVEMENT,
        Flag.CUFF_LOOSE,
        Flag.IRREGULAR_PULSE,
        Flag.PULSE_OUT_OF_RANGE,
        Flag.POSITION_IMPROPER,
        Flag.QUESTIONABLE,
    }
    assert list(got.flags) == sorted(got.flags)


def test_slot_ff_is_unknown() -> None:
    data = bytearray(measured(local(0), user=3))
    assert reading(connected().packet(packet("2A35", bytes(data)))).slot == 3
    data[-1] = 0xFF
    assert reading(connected().packet(packet("2A35", bytes(data)))).slot is None
    assert moment_of(packet("2A35", b"")).right
