"""Which stretch of which lead an alert shows, from the archive."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import psycopg
import pytest

from alerts import listening
from alerts.strip import laid_out, strip_of, strip_source
from stream.ecg_coding import encode
from stream.finding import Condition, SubjectKind
from stream.recording import MISSING
from tests.alerts.archive import store_ecg
from tests.alerts.desk import START, Stream, finding

RATE = 130.0
ONSET = START


def beating(seconds: float) -> np.ndarray:
    t = np.arange(round(seconds * RATE)) / RATE % 0.8
    return 1000 * np.exp(-(((t - 0.3) / 0.012) ** 2))


def ago(seconds: float) -> object:
    return ONSET - timedelta(seconds=seconds)


@pytest.fixture
def alert(dsn: str) -> UUID:
    """Ventricular fibrillation in lead I of the chest strap."""
    return raised(dsn, Condition.VF)


def raised(dsn: str, condition: Condition, kind: SubjectKind = SubjectKind.PATIENT) -> UUID:
    Stream(dsn).says(finding(condition, subject_kind=kind))
    with psycopg.connect(dsn, autocommit=True) as conn:
        listening.hear(conn, START)
        found = conn.execute("SELECT alert FROM alerts.alert").fetchone()
    assert found is not None
    return UUID(str(found[0]))


def drawn(dsn: str, alert: UUID) -> str | None:
    with psycopg.connect(dsn) as conn:
        return strip_of(conn, alert)


def clock(svg: str | None) -> str:
    found = re.search(r"class='clock'[^>]*>([\d:]+)<", svg or "")
    assert found
    return found[1]


def test_it_shows_ten_seconds_before_the_onset_and_twenty_after_and_stays_so(dsn: str, alert: UUID) -> None:
    store_ecg(dsn, beating(120), ONSET - timedelta(seconds=60))
    before = drawn(dsn, alert)
    assert clock(before) == "07:59:50"
    assert "▼ 08:00:00 ventricular fibrillation 心室颤动" in str(before)
    assert "class='missing'" not in str(before)
    store_ecg(dsn, beating(60), ONSET + timedelta(seconds=60), index=round(120 * RATE))
    assert drawn(dsn, alert) == before


def test_while_the_signal_still_comes_it_shows_what_led_to_it(dsn: str, alert: UUID) -> None:
    store_ecg(dsn, beating(68), ONSET - timedelta(seconds=60))  # eight seconds of fibrillation so far
    svg = drawn(dsn, alert)
    assert clock(svg) == "07:59:38"
    assert "class='missing'" not in str(svg)


def test_the_onset_is_never_at_the_edge(dsn: str, alert: UUID) -> None:
    store_ecg(dsn, beating(61), ONSET - timedelta(seconds=60))
    assert clock(drawn(dsn, alert)) == "07:59:35"


def test_the_lead_is_the_one_in_which_it_was_found(dsn: str, alert: UUID) -> None:
    store_ecg(dsn, beating(60), ONSET - timedelta(seconds=30), device="holter", stream="ecg/V5")
    store_ecg(dsn, beating(40), ONSET - timedelta(seconds=20))
    assert "I · 25 mm/s" in str(drawn(dsn, alert))


def test_of_what_was_found_elsewhere_the_lead_with_most_signal_is_shown_unshaded(dsn: str) -> None:
    alert = raised(dsn, Condition.GLUCOSE_CRITICAL_LOW)
    store_ecg(dsn, beating(60), ONSET - timedelta(seconds=30), device="holter", stream="ecg/V5")
    store_ecg(dsn, beating(10), ONSET - timedelta(seconds=20), device="other", stream="ecg/II")
    svg = drawn(dsn, alert)
    assert "V5 · 25 mm/s" in str(svg)
    assert "class='span'" not in str(svg)


def test_nobody_else_s_heart_is_shown(dsn: str, alert: UUID) -> None:
    store_ecg(dsn, beating(60), ONSET - timedelta(seconds=30), patient="bob")
    assert drawn(dsn, alert) is None


def test_there_is_none_without_ecg_of_the_time_without_a_patient_and_without_an_alert(dsn: str) -> None:
    alert = raised(dsn, Condition.MALFORMED, SubjectKind.CLIENT)
    store_ecg(dsn, beating(60), ONSET - timedelta(hours=1))
    assert drawn(dsn, alert) is None
    assert drawn(dsn, uuid4()) is None


def test_what_cannot_be_decoded_is_hatched_and_the_rest_shown(dsn: str, alert: UUID) -> None:
    store_ecg(dsn, beating(20), ONSET - timedelta(seconds=20))
    store_ecg(dsn, beating(4), ONSET, index=2600, coded=b"\xff?")
    store_ecg(dsn, beating(20), ONSET + timedelta(seconds=4), index=3120)
    svg = str(drawn(dsn, alert))
    assert "no signal 无信号 4.0 s" in svg
    assert svg.count("class='missing'") == 1


def test_all_who_are_told_at_once_get_one_drawing(dsn: str, alert: UUID) -> None:
    store_ecg(dsn, beating(60), ONSET - timedelta(seconds=30))
    connected = []

    def connect() -> psycopg.Connection[Any]:
        connected.append(1)
        return psycopg.connect(dsn)

    source = strip_source(connect)
    with ThreadPoolExecutor(4) as readers:
        told = list(readers.map(source, [alert] * 8))
    assert set(told) == {drawn(dsn, alert)}
    assert len(connected) == 1


def test_a_drawing_that_failed_is_said_to_everybody_who_asked(dsn: str, alert: UUID) -> None:
    def connect() -> psycopg.Connection[Any]:
        raise psycopg.OperationalError(dsn)

    source = strip_source(connect)
    for _ in range(2):
        with pytest.raises(psycopg.OperationalError):
            source(alert)


def _chunk(at_s: float, index: int, count: int, session: str = "s", rate_hz: float = RATE, base: int = 0) -> dict:
    return {
        "at": START + timedelta(seconds=at_s), "session": session, "index": index, "rate_hz": rate_hz, "device": "h10",
        "samples": encode((base + index + np.arange(count)).astype(np.int16)),
    }  # fmt: skip


def test_chunks_lie_by_their_count_whatever_their_times_say() -> None:
    jitter = [0.0, 0.003, -0.004, 0.02, -0.02]
    chunks = [_chunk(n + jitter[n], 130 * n, 130) for n in range(5)]
    samples = laid_out(chunks, START, RATE)
    assert samples[: 5 * 130].tolist() == list(range(5 * 130))
    assert (samples[5 * 130 :] == MISSING).all()
    assert (laid_out(chunks[::-1], START, RATE) == samples).all()


def test_a_hole_stays_a_hole_and_a_new_session_lies_by_its_time() -> None:
    samples = laid_out([_chunk(0, 0, 130), _chunk(2, 260, 130), _chunk(4, 0, 130, "t", base=500)], START, RATE)
    assert (samples[130:260] == MISSING).all()
    assert samples[260:390].tolist() == list(range(260, 390))
    assert samples[520:650].tolist() == list(range(500, 630))


def test_what_came_twice_by_two_ways_is_drawn_once() -> None:
    one = _chunk(0, 0, 130)
    assert (laid_out([one, replace_session(one, "again")], START, RATE) == laid_out([one], START, RATE)).all()


def replace_session(chunk: dict, session: str) -> dict:
    return chunk | {"session": session}
