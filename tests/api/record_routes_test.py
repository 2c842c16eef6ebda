"""The record over HTTP and from the command line: entered, imported, and never half."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from api.access import ensure_token
from api.app import create_app
from api.commands import app as commands
from api.settings import ApiSettings
from tests.alerts.desk import HandClock
from tests.api.hospital import PATIENT, bundle, condition

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.api.served import Site

ADA = "/api/v1/patients/ada"


@pytest.fixture
def client(dsn: str, tmp_path: Path) -> Iterator[TestClient]:
    app = create_app(ApiSettings(), dsn, tmp_path, HandClock())
    with TestClient(app, headers={"authorization": f"Bearer {ensure_token(tmp_path)}"}) as made:
        yield made


def test_a_bundle_is_tried_then_taken_once(client: TestClient) -> None:
    dry = client.post(f"{ADA}/import", params={"dry": True}, json=bundle()).json()
    assert {one["field"] for one in dry["changes"]} >= {"name", "allergies", "contacts"}
    assert client.get(ADA).json()["name"] == "unknown"
    assert client.get(ADA).headers["etag"] == '"0"'
    taken = client.post(f"{ADA}/import", json=bundle()).json()
    assert taken["changes"] == dry["changes"]
    assert any(one["what"] == "Immunization" for one in taken["not_taken"])
    shown = client.get(ADA)
    assert shown.json()["allergies"] == ["Penicillin: anaphylaxis, high risk (2009-02-03)"]
    again = client.post(f"{ADA}/import", json=bundle()).json()
    assert again["changes"] == []
    assert client.get(ADA).headers["etag"] == shown.headers["etag"]


def test_a_broken_one_is_refused_whole(client: TestClient) -> None:
    broken = bundle(PATIENT, condition("1", "Gout"), condition("2", "AF", onsetDateTime="soon", recordedDate="x"))
    told = client.post(f"{ADA}/import", json=broken)
    assert (told.status_code, told.headers["content-type"]) == (422, "application/problem+json")
    places = [one["at"] for one in told.json()["errors"]]
    assert places == ["Bundle.entry[2].resource.onsetDateTime", "Bundle.entry[2].resource.recordedDate"]
    assert client.get(ADA).json()["problems"] == "unknown"


def test_what_was_entered_is_given_back_with_its_codes(client: TestClient) -> None:
    client.post(f"{ADA}/import", json=bundle())
    told = client.get(f"{ADA}/entered")
    body = told.json()
    assert body["allergies"][0]["code"] == "91936005"
    assert client.put(ADA, json=body, headers={"if-match": told.headers["etag"]}).status_code == 204
    assert client.get(f"{ADA}/entered").json() == body


def test_words_alone_are_an_entry_and_none_is_not_unknown(client: TestClient) -> None:
    assert client.put(ADA, json={"problems": ["Gout"], "allergies": []}).status_code == 204
    body = client.get(f"{ADA}/entered").json()
    assert body["problems"][0]["text"] == "Gout"
    assert (body["allergies"], body["implants"]) == ([], None)
    assert client.put(ADA, json={"problems": [{"text": ""}]}).status_code == 422


def test_of_two_writers_one_is_told(client: TestClient, dsn: str) -> None:
    client.put(ADA, json={"name": "Ada"})
    seen = client.get(f"{ADA}/entered").headers["etag"]

    def write(name: str) -> int:
        return client.put(ADA, json={"name": name}, headers={"if-match": seen}).status_code

    with ThreadPoolExecutor(4) as pool:
        with psycopg.connect(dsn) as conn:  # whoever comes so far waits to write
            conn.execute("SELECT FROM api.person FOR UPDATE")
            asked = [pool.submit(write, name) for name in ("A", "B", "C", "D")]
            wait(asked, timeout=1.0)
        answers = sorted(one.result() for one in asked)
    assert answers == [204, 412, 412, 412]
    late = client.post(f"{ADA}/import", json=bundle(), headers={"if-match": seen})
    assert late.status_code == 412
    assert "read it again" in late.json()["detail"]


def test_by_command(site: Site, tmp_path: Path) -> None:
    class Api:
        host, port = "127.0.0.1", site.port

    class Folder:
        keys = site.keys

    class Place:
        api, folder = Api, Folder

    ensure_token(site.keys)
    run = CliRunner()

    def tierwatch(*words: str) -> Any:
        return run.invoke(commands, ["record", *words], obj=lambda: Place)

    file = tmp_path / "bundle.json"
    file.write_text(json.dumps(bundle()))
    dry = tierwatch("import", str(file), "--patient", "new-1", "--dry")
    assert dry.exit_code == 0, dry.output
    assert "would be changed" in dry.output
    assert "not taken: Immunization" in dry.output
    assert "taken" in tierwatch("import", str(file), "--patient", "new-1").output
    assert "nothing is new" in tierwatch("import", str(file), "--patient", "new-1").output
    assert "Penicillin: anaphylaxis" in tierwatch("show", "new-1").output
    assert json.loads(tierwatch("export", "new-1").output)["birth_date"] == "1955-03-09"
    file.write_text(json.dumps(bundle(PATIENT | {"gender": "femail"})))
    refused = tierwatch("import", str(file), "--patient", "new-1")
    assert refused.exit_code == 1
    assert "Bundle.entry[0].resource.gender: is none of" in refused.stderr
