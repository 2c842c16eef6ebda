"""A glucose sensor's conversation: its memory once and whole, its dates, what is no measurement, and what cannot be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codecs import cgm, cgm_sensor, record_access
from gateway.codecs.cgm import Annunciation, CgmRecord
from gateway.codecs.cgm_sensor import ControlPoint, Features, Op, RunTime, SensorStatus, SessionStart
from gateway.codecs.date_time import DeviceTime
from gateway.codecs.e2e_crc import CrcVariant, crc_of
from gateway.codecs.malformed import MalformedPacket
from gateway.codecs.record_access import Done, OpCode, Result
from gateway.reading import AtSource, DeviceId, DeviceStatus, Flag, Reading
from gateway.sessions.cgm import ABOVE_RANGE_MG_DL, BELOW_RANGE_MG_DL, CgmSession
from gateway.sessions.session import Moment, Step
from tests.gateway.codecs.codecs_test import vectors
from tests.gateway.made import SECOND, START, packet

if TYPE_CHECKING:
    from gateway.link import Write

BERLIN = timezone(timedelta(hours=1))
WORN_MIN = 300
UNKNOWN = SessionStart(time=DeviceTime(year=0, month=0, day=0, hour=0, minute=0, second=0), zone_min=None, dst_min=None)


def begun(minutes_ago: float = WORN_MIN, *, zone: timezone = BERLIN) -> SessionStart:
    """A session that began so long before START, by a right clock."""
    local = (START - timedelta(minutes=minutes_ago)).astimezone(zone).replace(tzinfo=None)
    return cgm_sensor.session_start_of(local, zone.utcoffset(None))


class Talk:
    """A session, and all that has come of it."""

    def __init__(self, zone: timezone = BERLIN) -> None:
        self.session = CgmSession(DeviceId("CGM-1"), zone)
        self.readings: list[Reading] = []
        self.statuses: list[DeviceStatus] = []
        self.writes: list[Write] = []

    def connect(
        self,
        start: SessionStart,
        now_min: int = WORN_MIN,
        *,
        after_s: float = 0.0,
        said: Annunciation = cgm.NOTHING,
        connection: str = "c1",
        right: bool = True,
    ) -> Talk:
        """Connected, and read: session start, status."""
        now = Moment(at=START + timedelta(seconds=after_s), monotonic_ns=round((1000 + after_s) * SECOND), right=right)
        self._took(self.session.start(now, connection))
        self.hear(cgm_sensor.SESSION_START, cgm_sensor.encode_session_start(start), after_s)
        stands = SensorStatus(offset_min=now_min, annunciation=said)
        self.hear(cgm_sensor.STATUS, cgm_sensor.encode_status(stands), after_s)
        return self

    def hear(self, uuid: str, data: bytes, after_s: float = 1.0) -> Step:
        return self._took(self.session.packet(packet(uuid, data, after_s)))

    def records(self, *records: CgmRecord, after_s: float = 1.0) -> Step:
        return self.hear(cgm.MEASUREMENT, cgm.encode(*records), after_s)

    def done(self, result: int = Result.SUCCESS, after_s: float = 2.0) -> None:
        self.hear(record_access.CONTROL, record_access.encode(Done(op=OpCode.REPORT, result=result)), after_s)

    def lose(self, after_s: float = 2.0) -> None:
        moment = Moment(at=START + timedelta(seconds=after_s), monotonic_ns=round((1000 + after_s) * SECOND))
        self._took(self.session.lost(moment))

    def asked(self) -> list[str]:
        """What was asked of the memory."""
        return [write.data.hex() for write in self.writes if write.characteristic == record_access.CONTROL]

    def notes(self) -> list[str]:
        return [status.note for status in self.statuses if status.note]

    def _took(self, step: Step) -> Step:
        self.readings += [draft.event for draft in step.drafts if isinstance(draft.event, Reading)]
        self.statuses += [draft.event for draft in step.drafts if isinstance(draft.event, DeviceStatus)]
        self.writes += step.writes
        return step


def at(minute: int, mg_dl: float | None = 100.0, **more: object) -> CgmRecord:
    return CgmRecord(mg_dl=mg_dl, offset_min=minute, **more)  # type: ignore[arg-type]


def test_all_of_the_memory_is_asked_for_once_and_only_when_it_is_known_which_sensor_this_is() -> None:
    talk = Talk()
    talk.session.start(Moment(at=START, monotonic_ns=0), "c1")
    talk.hear("2A26", b"1.0")
    assert talk.asked() == []
    talk.connect(begun())
    assert talk.asked() == ["0101"]
    talk.records(at(290), at(295))
    assert talk.asked() == ["0101"]
    assert [(r.values, r.device_time) for r in talk.readings] == [
        ((100.0,), "2026-11-24T08:50:00"),
        ((100.0,), "2026-11-24T08:55:00"),
    ]


def test_the_memory_is_asked_for_from_where_it_was_heard() -> None:
    talk = Talk().connect(begun())
    talk.records(at(290), at(295), at(300))
    talk.done()
    talk.records(at(305), after_s=300)
    talk.lose(400)
    talk.connect(begun(), 330, after_s=1800, connection="c2")
    assert talk.asked() == ["0101", "0103013201"]  # from minute 306 on


def test_a_link_lost_in_the_middle_goes_on_behind_the_last_record() -> None:
    talk = Talk().connect(begun())
    talk.records(at(5), at(10))
    talk.records(at(300))  # of the present, in the middle of it: nothing is skipped for that
    talk.lose()
    talk.connect(begun(), 301, after_s=60, connection="c2")
    assert talk.asked() == ["0101", "0103010b00"]  # from minute 11 on
    talk.records(at(15), at(20), at(300))
    assert [r.device_time for r in talk.readings][-1] == "2026-11-24T04:20:00"
    assert talk.session.duplicates == 1


def test_no_records_is_a_good_end_and_a_refusal_is_said() -> None:
    talk = Talk().connect(begun())
    talk.done(Result.NO_RECORDS)
    assert talk.notes() == []
    talk.connect(begun())
    talk.done(Result.NOT_COMPLETED)
    assert talk.notes() == ["the sensor did not give its memory: result 8"]
    assert talk.asked() == ["0101", "0101"]


def test_a_request_that_dies_is_given_up_and_made_again() -> None:
    talk = Talk().connect(begun())
    talk.records(at(5), after_s=1.0)
    talk.records(at(300), after_s=20.0)
    assert talk.asked() == ["0101"]
    talk.records(at(305), after_s=40.0)  # nothing of the memory for more than 30 s
    assert talk.asked() == ["0101", "0300", "0103010600"]
    assert talk.notes() == ["the sensor's memory did not come in time: asked again"]


def test_a_memory_that_keeps_coming_is_never_given_up() -> None:
    talk = Talk().connect(begun())
    for number in range(1, 50):
        talk.records(at(5 * number), after_s=20.0 * number)
    assert talk.asked() == ["0101"]


def test_what_came_twice_is_one_reading_and_a_corrected_one_is_kept() -> None:
    talk = Talk().connect(begun())
    talk.records(at(290))
    talk.records(at(290))
    assert len(talk.readings) == 1
    talk.records(at(290, 104.0))
    assert [r.values for r in talk.readings] == [(100.0,), (104.0,)]


def test_a_new_sensor_begins_at_the_beginning() -> None:
    talk = Talk().connect(begun(20_000), 20_000)
    talk.records(at(20_000))
    talk.done()
    talk.connect(begun(10), 10, after_s=600, connection="c2")
    talk.records(at(5, 100.0), after_s=601)
    assert talk.asked() == ["0101", "0101"]
    assert talk.readings[-1].device_time == "2026-11-24T08:55:00"


def test_a_new_sensor_that_has_been_worn_for_longer_is_told_by_its_start() -> None:
    talk = Talk().connect(begun(100), 100)
    talk.records(at(100))
    talk.done()
    talk.connect(begun(-500), 200, after_s=700 * 60, connection="c2")
    assert talk.asked() == ["0101", "0101"]


def test_a_clock_set_by_an_hour_is_no_new_sensor() -> None:
    talk = Talk().connect(begun(100), 100)
    talk.records(at(100))
    talk.done()
    talk.connect(begun(160), 105, after_s=300, connection="c2")
    assert talk.asked() == ["0101", "0103016500"]
    talk.records(at(105), after_s=301)
    assert talk.readings[-1].device_time == "2026-11-24T09:05:00", "its dates do not jump within a session"


def test_a_new_sensor_without_a_clock_is_told_by_its_count() -> None:
    talk = Talk().connect(UNKNOWN, 20_000, connection="c1")
    talk.records(at(5, 100.0), after_s=1)
    talk.records(at(20_000), after_s=1)
    talk.done()
    talk.connect(UNKNOWN, 5, after_s=600, connection="c2")
    talk.records(at(5, 100.0), after_s=601)
    assert talk.asked() == ["0101", "0101"]
    times = [r.device_time for r in talk.readings]
    assert len(set(times)) == 3, "minute 5 of the second sensor is not minute 5 of the first"


def test_a_right_clock_dates_the_memory_to_the_second() -> None:
    talk = Talk().connect(begun(300.5))
    talk.records(at(5), after_s=3)
    (got,) = talk.readings
    assert (got.at, got.at_source) == (START - timedelta(minutes=295.5), AtSource.DEVICE)
    assert talk.statuses[-1].clock_offset_s == 0.0


@pytest.mark.parametrize("off", [timedelta(hours=-1), timedelta(days=3650)])
def test_a_wrong_clock_is_said_and_dates_nothing(off: timedelta) -> None:
    local = (START - timedelta(minutes=WORN_MIN)).astimezone(BERLIN).replace(tzinfo=None) + off
    talk = Talk().connect(cgm_sensor.session_start_of(local, timedelta(hours=1)))
    assert talk.statuses[-1].clock_offset_s == off.total_seconds()
    talk.records(at(5), after_s=30)
    (got,) = talk.readings
    assert (got.at, got.at_source) == (START - timedelta(minutes=295), AtSource.DEVICE)
    assert got.device_time == (local + timedelta(minutes=5)).isoformat()  # its identity: untouched


def test_a_zone_unknown_to_the_sensor_is_the_gateways() -> None:
    local = (START - timedelta(minutes=WORN_MIN)).astimezone(BERLIN).replace(tzinfo=None)
    start = SessionStart(time=cgm_sensor.session_start_of(local, timedelta()).time, zone_min=None, dst_min=None)
    talk = Talk().connect(start)
    assert talk.statuses[-1].clock_offset_s == 0.0


def test_a_sensor_that_does_not_know_the_time_is_told_it_by_a_right_clock_only() -> None:
    talk = Talk().connect(UNKNOWN)
    (told,) = [w for w in talk.writes if w.characteristic == cgm_sensor.SESSION_START]
    assert cgm_sensor.decode_session_start(told.data).time.text == "2026-11-24T09:00:00"
    assert told.may_fail
    talk.records(at(295), after_s=1)
    (got,) = talk.readings
    assert (got.at, got.at_source) == (START - timedelta(minutes=5), AtSource.DEVICE)
    assert got.connection == "c1"
    # What it then reckons as its start is the same session: nothing is asked for, or named, anew.
    talk.done()
    talk.connect(begun(), 305, after_s=300, connection="c2")
    assert talk.asked() == ["0101", "0103012801"]
    assert not [w for w in Talk().connect(UNKNOWN, right=False).writes if w.characteristic == cgm_sensor.SESSION_START]


def test_a_clock_of_ours_that_is_in_doubt_leaves_the_sensors_alone() -> None:
    talk = Talk().connect(begun(300 + 24 * 60), right=False)
    talk.records(at(295), after_s=1)
    # By how long ago it was on connecting: the outbox moves it when the time is known.
    assert talk.readings[0].at == START - timedelta(minutes=5)


def test_what_is_dated_into_the_future_is_dated_by_arrival() -> None:
    talk = Talk().connect(begun())
    talk.records(at(9000), after_s=1)
    assert (talk.readings[0].at, talk.readings[0].at_source) == (START + timedelta(seconds=1), AtSource.ESTIMATED)


def test_every_state_of_a_real_sensor() -> None:
    # A Guardian from insertion to expiry: 0 mg/dL in warm-up and when expired must be no reading of a person.
    for vector in vectors("cgm"):
        expected = vector["expected"]
        if expected.get("crc_algorithm", "").startswith("CRC-16/CCITT"):
            talk = Talk()
            talk.hear(cgm.MEASUREMENT, bytes.fromhex(vector["hex"]))
            (got,) = talk.readings
            assert got.values == (expected["glucose_mg_dL"],)
            wanted: tuple[Flag, ...] = ()
            if not expected["glucose_mg_dL"]:
                wanted = (Flag.SENSOR_WARM_UP if expected["time_offset_min"] <= 120 else Flag.SIGNAL_LOST,)
            assert got.flags == wanted, vector["source"]


_A = Annunciation


# A row is what the sensor says; wrong, it would be a person's glucose, or be lost.
@pytest.mark.parametrize(
    ("record", "value", "flags"),
    [
        (at(30, 0.0), 0.0, {Flag.SENSOR_WARM_UP}),
        (at(30, None), 0.0, {Flag.SENSOR_WARM_UP}),
        (at(130, 0.0), 0.0, {Flag.SIGNAL_LOST}),  # nothing has come for longer than any warm-up
        (at(200, None, annunciation=_A.SENSOR_MALFUNCTION), 0.0, {Flag.SIGNAL_LOST}),
        (
            at(200, None, annunciation=_A.BELOW_RANGE),
            BELOW_RANGE_MG_DL,
            set(),
        ),  # "LOW" is the worst there is, not nothing
        (at(200, None, annunciation=_A.ABOVE_RANGE), ABOVE_RANGE_MG_DL, set()),
        (at(200, 61.0, annunciation=_A.BELOW_RANGE), 61.0, set()),  # a value goes before
        (at(200, 90.0, annunciation=_A.CALIBRATION_REQUIRED), 90.0, {Flag.QUESTIONABLE}),
        (at(200, 90.0, annunciation=_A.TEMPERATURE_TOO_LOW), 90.0, {Flag.QUESTIONABLE}),
        (at(200, 90.0, annunciation=_A.CALIBRATION_RECOMMENDED | _A.BELOW_HYPO), 90.0, set()),
        (at(200, 90.0, annunciation=_A.SESSION_STOPPED), 90.0, {Flag.SENSOR_EXPIRED}),
        (at(24 * 60 + 1, 90.0), 90.0, {Flag.SENSOR_EXPIRED}),  # older than it is made for
        (at(24 * 60, 90.0), 90.0, set()),
    ],
)
def test_what_a_record_is_worth(record: CgmRecord, value: float, flags: set[Flag]) -> None:
    talk = Talk()
    talk.hear(cgm_sensor.RUN_TIME, cgm_sensor.encode_run_time(RunTime(hours=24)))
    talk.records(record)
    (got,) = talk.readings
    assert (got.values, set(got.flags)) == ((value,), flags)


def test_after_its_first_value_a_sensor_is_warm() -> None:
    talk = Talk().connect(begun(), 60)
    talk.records(at(10, 0.0), at(15, 99.0), at(20, None))
    assert [r.flags for r in talk.readings] == [(Flag.SENSOR_WARM_UP,), (), (Flag.SIGNAL_LOST,)]


def test_control_solution_is_no_person() -> None:
    talk = Talk()
    told = Features(features=0, kind=cgm_sensor.CONTROL_SOLUTION, location=0)
    talk.hear(cgm_sensor.FEATURE, cgm_sensor.encode_features(told))
    talk.records(at(200))
    assert talk.readings[0].flags == (Flag.CONTROL_SOLUTION,)


def test_a_session_that_has_ended_is_said_though_no_record_comes() -> None:
    talk = Talk().connect(begun(), said=Annunciation.SESSION_STOPPED | Annunciation.BATTERY_LOW)
    (got,) = talk.readings
    assert (got.values, got.flags, got.at) == ((0.0,), (Flag.SENSOR_EXPIRED,), START)
    assert talk.notes() == ["the sensor's battery is low"]
    talk.connect(begun(), said=Annunciation.SESSION_STOPPED | Annunciation.BATTERY_LOW, connection="c2")
    assert len(talk.readings) == 1, "said once"


def test_a_sensor_that_tells_nothing_by_itself_is_told_to() -> None:
    talk = Talk().connect(begun())
    talk.hear(cgm_sensor.CONTROL, cgm_sensor.encode_control(ControlPoint(op=Op.INTERVAL, operand=b"\x05")))
    talk.hear(cgm_sensor.CONTROL, cgm_sensor.encode_control(ControlPoint(op=Op.INTERVAL, operand=b"\x00")))
    assert [w.data.hex() for w in talk.writes if w.characteristic == cgm_sensor.CONTROL] == ["02", "0105"]
    assert all(write.may_fail for write in talk.writes)


def test_a_crc_of_the_other_kind_or_none_is_refused_once_the_sensor_is_known() -> None:
    talk = Talk()
    talk.records(at(5, crc=CrcVariant.CCITT_FALSE))
    for other in (CrcVariant.MCRF4XX, None):
        with pytest.raises(MalformedPacket, match="not the one of this sensor"):
            talk.records(at(10, crc=other))
    talk.records(at(10, crc=CrcVariant.CCITT_FALSE))
    assert len(talk.readings) == 2
    with pytest.raises(MalformedPacket):  # nor may one packet have both
        Talk().records(at(5, crc=CrcVariant.CCITT_FALSE), at(10, crc=CrcVariant.MCRF4XX))


def test_a_packet_that_fits_both_crcs_is_taken_and_teaches_nothing() -> None:
    talk = Talk()
    stands = bytes.fromhex("ffff000000")
    both = stands + crc_of(stands, CrcVariant.MCRF4XX).to_bytes(2, "little")
    assert cgm_sensor.decode_status(both).crc is CrcVariant.EITHER
    talk.session.start(Moment(at=START, monotonic_ns=0), "c1")
    talk.hear(cgm_sensor.STATUS, both)
    talk.records(at(5, crc=CrcVariant.CCITT_FALSE))
    assert len(talk.readings) == 1


def test_leaving_gives_up_a_request_that_runs() -> None:
    talk = Talk().connect(begun())
    assert [write.data.hex() for write in talk.session.stop()] == ["0300"]
    talk.done()
    assert talk.session.stop() == ()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["2AA7", "2AA8", "2AA9", "2AAA", "2AAB", "2AAC", "2A52", "2A19"]), st.binary(max_size=24)
        )
    )
)
def test_any_bytes_give_steps_or_malformed_packets(said: list[tuple[str, bytes]]) -> None:
    talk = Talk(UTC)  # type: ignore[arg-type]
    talk.session.start(Moment(at=START, monotonic_ns=0), "c1")
    for number, (uuid, data) in enumerate(said):
        try:
            talk.hear(uuid, data, number)
        except MalformedPacket:
            continue
    for got in talk.readings:
        assert got.values[0] is not None
        assert got.at <= (got.received_at or datetime.max.replace(tzinfo=UTC)) + timedelta(seconds=120)
