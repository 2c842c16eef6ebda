"""The key that seals is changed while everything runs: whenever it is cut off, every row opens."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from itertools import islice
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from typer.testing import CliRunner

from alerts import listening, resealing
from alerts.record import UNKNOWN, Contact, Record
from alerts.resealing import NOTICE
from alerts.sealing import CannotOpen, Seal
from api import accounts, roster
from api.accounts import Account, Kind
from api.commands import app
from api.sealed import PERSON, TABLES
from stream.finding import Condition
from tests.alerts.desk import Stream, finding

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

NOW = datetime(2026, 12, 1, tzinfo=UTC)
NOT_SEALED = {
    ("api", "session", "token"): "the hash of a random token",
    ("alerts", "link", "token"): "the same",
    ("alerts", "link", "session"): "the same",
    ("api", "audit", "hash"): "the hash of a row and of the one before it",
    ("api", "dispatch_link", "token"): "the hash of a token",
    ("api", "dispatch_link", "browser"): "the hash of a random token",
}
"""Columns of bytes that name nobody, each with why it may lie open."""
PEOPLE, LOGINS = 7, 5


def person(n: int, name: str = "Somebody") -> Record:
    return Record(patient=f"p{n}", name=f"{name} {n}", problems=("Gout",), contacts=(Contact(name="Cleo"),))


@pytest.fixture
def sealed(dsn: str, tmp_path: Path) -> Seal:
    """A database with people, an account and a notice, sealed with key 1."""
    seal = Seal(tmp_path)
    with psycopg.connect(dsn, autocommit=True) as conn:
        for n in range(PEOPLE):
            roster.save(conn, person(n), seal, NOW)
        for n in range(LOGINS):
            one = Account(login=f"lin{n}", kind=Kind.PATIENT, patient="p1", name=f"Lin {n}", person=f"lin{n}")
            accounts.add(conn, one, "correct horse", seal)
        Stream(dsn).says(finding(Condition.VF))
        listening.hear(conn, NOW)
        for (notice,) in conn.execute("SELECT notice FROM alerts.notice").fetchall():
            body = seal.seal(b"frozen", NOTICE.place("body", notice))
            conn.execute("UPDATE alerts.notice SET body = %s WHERE notice = %s", (body, notice))
    return seal


def all_open(conn: psycopg.Connection[Any], seal: Seal) -> None:
    for n in range(PEOPLE):
        assert roster.read(conn, f"p{n}", seal).problems == ("Gout",)
    assert sorted(one.name for one in accounts.everybody(conn, seal)) == [f"Lin {n}" for n in range(LOGINS)]
    for notice, body in conn.execute("SELECT notice, body FROM alerts.notice").fetchall():
        assert seal.open(body, NOTICE.place("body", notice)) == b"frozen"


def test_the_list_is_the_schema_s(dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        there = conn.execute(
            "SELECT table_schema, table_name, column_name FROM information_schema.columns"
            # what stream keeps is numbers and states of devices: it knows no name
            " WHERE data_type = 'bytea' AND table_schema IN ('alerts', 'api')"
        ).fetchall()
    listed = {(table.schema, table.table, column) for table in TABLES for column in table.columns}
    assert set(there) == listed | NOT_SEALED.keys()
    assert not listed & NOT_SEALED.keys()


@pytest.mark.parametrize("cut", range(0, 2 * (PEOPLE + LOGINS), 3))
def test_cut_off_anywhere_every_row_opens(dsn: str, sealed: Seal, tmp_path: Path, cut: int) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        sealed.add_key()
        seal = Seal(tmp_path)
        batches = (many for table in TABLES for many in resealing.rewrite(conn, table, seal, 2))
        done = sum(islice(batches, cut))
        assert done or not cut
        for fresh in (Seal(tmp_path), sealed):  # a process that starts now, and one that has been running
            all_open(conn, fresh)
        for table in TABLES:
            list(resealing.rewrite(conn, table, seal, 2))
        assert not any(resealing.left(conn, TABLES, 2).values())
        all_open(conn, Seal(tmp_path))
        (tmp_path / "seal-1.key").unlink()
        all_open(conn, Seal(tmp_path))


def test_what_is_written_meanwhile_stays_written(dsn: str, sealed: Seal, tmp_path: Path) -> None:
    """Somebody is in the middle of writing a record when the rewriting comes to it."""
    sealed.add_key()

    def rotate() -> None:
        with psycopg.connect(dsn, autocommit=True) as conn:
            list(resealing.rewrite(conn, PERSON, Seal(tmp_path), 3))

    with psycopg.connect(dsn) as conn:
        roster.save(conn, person(1, "New"), sealed, NOW)
        rotating = threading.Thread(target=rotate)
        rotating.start()
        rotating.join(0.5)
        assert rotating.is_alive()
        conn.commit()
        rotating.join(10)
        assert roster.read(conn, "p1", Seal(tmp_path)).name == "New 1"
        all_open(conn, Seal(tmp_path))


def test_bytes_are_bound_to_their_row_also_anew(dsn: str, sealed: Seal) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(
            "UPDATE api.person a SET name = b.name FROM api.person b WHERE a.patient = 'p1' AND b.patient = 'p2'"
        )
        sealed.add_key()
        with pytest.raises(CannotOpen, match=r"not sealed for api\.person\|name\|p1"):
            list(resealing.rewrite(conn, PERSON, sealed))


def test_by_command(dsn: str, sealed: Seal, tmp_path: Path) -> None:
    place = SimpleNamespace(folder=SimpleNamespace(keys=tmp_path))

    def tierwatch(word: str) -> Result:
        return CliRunner().invoke(app, ("keys", word, "--dsn", dsn), obj=lambda: place)

    assert "there is no old key" in tierwatch("retire").output
    rotated = tierwatch("rotate")
    assert rotated.exit_code == 0, rotated.output
    assert "key 2 seals from now on" in rotated.output
    assert f"api.person: {PEOPLE} of {PEOPLE}" in rotated.output
    with psycopg.connect(dsn, autocommit=True) as conn:
        header = bytes([1])  # somebody who had not heard of the new key
        conn.execute("UPDATE api.account SET name = %s || substr(name, 2) WHERE login = 'lin0'", (header,))
        refused = tierwatch("retire")
        assert refused.exit_code == 1
        assert "api.account: 1 rows need another key" in refused.output
        assert (tmp_path / "seal-1.key").is_file()
        back = Account(login="lin0", kind=Kind.PATIENT, patient="p1", name="Lin 0", person="lin0")
        accounts.remove(conn, "lin0")
        accounts.add(conn, back, "correct horse", sealed)
        assert tierwatch("retire").exit_code == 0
        assert not (tmp_path / "seal-1.key").exists()
        assert (tmp_path / "retired" / "seal-1.key").is_file()
        all_open(conn, Seal(tmp_path))
        all_open(conn, sealed)
        assert roster.read(conn, "p0", sealed).address == UNKNOWN


def test_interrupted_it_goes_on_without_a_further_key(dsn: str, sealed: Seal, tmp_path: Path) -> None:
    sealed.add_key()
    place = SimpleNamespace(folder=SimpleNamespace(keys=tmp_path))
    told = CliRunner().invoke(app, ("keys", "rotate", "--dsn", dsn), obj=lambda: place)
    assert "going on" in told.output
    assert sorted(path.name for path in tmp_path.glob("seal-*")) == ["seal-1.key", "seal-2.key"]
