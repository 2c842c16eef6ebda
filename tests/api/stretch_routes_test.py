"""ECG by time over HTTP: each file is read back by a program that is not ours, and holds the archive's samples."""

from __future__ import annotations

import base64
import io
import re
import zipfile
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import psycopg
import pytest
import wfdb
from edfio import read_edf
from fastapi.testclient import TestClient
from psycopg.types.json import Jsonb

from alerts.clock import WallClock
from alerts.sealing import Seal
from api import accounts
from api.access import ensure_token
from api.accounts import Account, Kind
from api.app import create_app
from api.settings import ApiSettings
from stream.finding import Condition
from stream.recording import MISSING
from tests.api.panels_test import agree
from tests.api.served import PASSWORD, Site, beats

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RATE = 130.0
AT = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
GAP = slice(round(12 * RATE), round(15 * RATE))


@pytest.fixture(scope="module")
def stored() -> np.ndarray[Any, np.dtype[np.int16]]:
    """A minute with three seconds missing."""
    samples = beats(60, RATE)
    samples[GAP] = MISSING
    return samples


@pytest.fixture
def client(site: Site, stored: np.ndarray[Any, Any]) -> Iterator[TestClient]:
    site.ecg("ada", AT, stored, RATE)
    with TestClient(create_app(ApiSettings(), site.dsn, site.keys, WallClock())) as made:
        made.headers["authorization"] = f"Bearer {ensure_token(site.keys)}"
        yield made


def asked(client: TestClient, ending: str = "", seconds: Any = 60, patient: Any = "ada", **more: Any) -> Any:
    span = {"from": AT.isoformat(), "to": (AT + timedelta(seconds=seconds)).isoformat(), **more}
    return client.get(f"/api/v1/patients/{patient}/ecg{ending}", params=span)


def measured(site: Site, *found: tuple[float, str]) -> None:
    """Beats of an alert's strip, seconds since `AT`."""
    alert = site.alert("ada", Condition.AF, ago_s=(datetime.now(UTC) - AT).total_seconds() - 20)
    told = {"lead": "I", "from_at": AT.isoformat(), "beats": [{"at_s": at, "class": kind} for at, kind in found]}
    with psycopg.connect(site.dsn) as conn:
        conn.execute("INSERT INTO alerts.measurement VALUES (%s, '1', 1, true, now(), %s)", (alert, Jsonb(told)))


def test_as_json_and_binary_it_is_what_is_stored(client: TestClient, stored: np.ndarray[Any, Any]) -> None:
    found = asked(client).json()
    assert (found["rate_hz"], found["lead"], found["seconds"], found["beats"]) == (RATE, "I", 60.0, [])
    assert np.array_equal(np.frombuffer(base64.b64decode(found["i16le"]), "<i2"), stored)
    binary = asked(client, ".bin")
    assert np.array_equal(np.frombuffer(binary.content, "<i2"), stored)
    assert binary.headers["ecg-rate-hz"] == "130"
    assert datetime.fromisoformat(binary.headers["ecg-from"]) == AT
    assert binary.headers["cache-control"] == "private, no-store"


def test_wfdb_reads_the_same_samples_gaps_and_beats(
    client: TestClient, site: Site, stored: np.ndarray[Any, Any], tmp_path: Path
) -> None:
    measured(site, (0.5, "N"), (1.25, "V"), (1.29, "V"), (30.0, "S"), (31.0, "P"))
    with zipfile.ZipFile(io.BytesIO(asked(client, ".zip").content)) as packed:
        packed.extractall(tmp_path)
    record = wfdb.rdrecord(str(tmp_path / "ecg"), physical=False)
    assert np.array_equal(record.d_signal[:, 0], stored)
    physical = wfdb.rdrecord(str(tmp_path / "ecg")).p_signal[:, 0]
    assert np.array_equal(np.isnan(physical), stored == MISSING)
    assert physical[0] == pytest.approx(stored[0] / 1000)
    assert (record.fs, record.sig_name, record.units) == (RATE, ["I"], ["mV"])
    assert record.base_datetime == AT.replace(tzinfo=None)
    marks = wfdb.rdann(str(tmp_path / "ecg"), "atr")
    assert marks.symbol == ["N", "V", "S", "/"]  # of two strips that overlap a beat is told once
    assert marks.sample.tolist() == [round(at * RATE) for at in (0.5, 1.25, 30.0, 31.0)]


def test_edf_reads_the_same_samples_gaps_and_beats(
    client: TestClient, site: Site, stored: np.ndarray[Any, Any]
) -> None:
    measured(site, (0.5, "N"), (1.25, "V"))
    edf = read_edf(asked(client, ".edf", seconds=59.5).content)
    (signal,) = edf.signals
    assert np.array_equal(signal.digital[: round(59.5 * RATE)], stored[: round(59.5 * RATE)])
    assert (signal.digital[round(59.5 * RATE) :] == MISSING).all()
    assert signal.sampling_frequency == RATE
    assert signal.physical_dimension == "uV"
    assert signal.data[100] == pytest.approx(stored[100], abs=0.01)
    assert edf.startdatetime == AT.replace(tzinfo=None)
    told = [(one.onset, one.duration, one.text) for one in edf.annotations]
    assert told == [(0.5, None, "beat N"), (1.25, None, "beat V"), (12.0, 3.0, "no signal")]
    assert edf.patient.code == "ada"
    assert "Ada" not in edf.local_patient_identification


def test_on_paper_it_is_at_true_scale(client: TestClient) -> None:
    svg = asked(client, ".svg").text
    assert "width='260mm'" in svg  # ten seconds and the head
    assert svg.count("class='trace'") == 6
    assert "no signal 无信号 3.0 s" in svg
    assert "class='onset'" not in svg
    pdf = asked(client, ".pdf").content
    assert pdf.startswith(b"%PDF")
    pages = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    assert pages
    assert all((round(float(a)), round(float(b))) == (842, 595) for a, b in pages)  # A4 landscape, points
    assert b"/Count 2" in pdf


@pytest.mark.parametrize(
    ("ending", "most_s"), [("", 3600), (".bin", 86400), (".svg", 600), (".pdf", 600), (".zip", 86400), (".edf", 86400)]
)
def test_each_is_bounded_and_says_so(client: TestClient, ending: str, most_s: int) -> None:
    assert asked(client, ending, seconds=most_s).status_code == 200
    refused = asked(client, ending, seconds=most_s + 1)
    assert refused.status_code == 422
    assert f"at most {most_s} s" in refused.json()["detail"]


def test_what_is_not_there_is_not_found(client: TestClient) -> None:
    assert asked(client, lead="V5").status_code == 404
    assert asked(client, patient="otto").status_code == 404
    assert asked(client, seconds=0).status_code == 422
    assert asked(client, **{"from": "1900-01-01T00:00:00Z"}).status_code == 422


def test_a_patient_downloads_nothing_here(client: TestClient) -> None:
    del client.headers["authorization"]
    client.headers["origin"] = "http://testserver"
    assert client.post("/api/v1/session", json={"login": "ada", "password": PASSWORD}).is_success
    for ending in ("", ".bin", ".svg", ".pdf", ".zip", ".edf"):
        assert asked(client, ending).status_code == 403


def test_another_doctors_patient_is_refused(client: TestClient, site: Site) -> None:
    agree(site.dsn, "ada", "near")
    with psycopg.connect(site.dsn) as conn:
        accounts.add(
            conn, Account(login="far", kind=Kind.DOCTOR, name="Dr Far", person="far"), PASSWORD, Seal(site.keys)
        )
    del client.headers["authorization"]
    client.headers["origin"] = "http://testserver"
    assert client.post("/api/v1/session", json={"login": "far", "password": PASSWORD}).is_success
    for ending in ("", ".bin", ".svg", ".pdf", ".zip", ".edf"):
        assert asked(client, ending).status_code == 403
