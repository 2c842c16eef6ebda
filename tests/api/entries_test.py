"""Entries of a record: what an alert reads of them, and that nothing is lost between form, row and alert."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.record import UNKNOWN, Contact, Record
from alerts.sealing import Seal
from api import roster
from api.entries import LISTS, Entry, of_rows, to_rows

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 12, 1, tzinfo=UTC)
SNOMED = "http://snomed.info/sct"
PENICILLIN = Entry(
    text="Penicillin", system=SNOMED, code="91936005", onset="2009", criticality="high", reaction="anaphylaxis"
)

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
ENTRIES = st.builds(
    Entry, text=TEXTS, system=st.none() | TEXTS, code=st.none() | TEXTS, onset=st.none() | TEXTS, dose=st.none() | TEXTS
)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (PENICILLIN, "Penicillin: anaphylaxis, high risk (2009)"),
        (Entry(text="Penicillin: anaphylaxis (2009)"), "Penicillin: anaphylaxis (2009)"),  # as it was entered before
        (Entry(text="Bisoprolol 5 mg", dose="1 in the morning"), "Bisoprolol 5 mg, 1 in the morning"),
        (Entry(text="Latex", certainty="unconfirmed"), "Latex (unconfirmed)"),  # a suspicion is not told as a fact
        (Entry(text="Stent, LAD", onset="2021-03", certainty="confirmed"), "Stent, LAD (2021-03)"),
    ],
)
def test_in_one_line(entry: Entry, words: str) -> None:
    assert entry.words == words


@given(st.lists(ENTRIES, max_size=4))
def test_nothing_is_lost_in_a_row(entries: list[Entry]) -> None:
    assert list(of_rows(to_rows(entries))) == entries


def test_codes_stay_in_the_row_and_the_alert_carries_words(dsn: str, tmp_path: Path) -> None:
    seal = Seal(tmp_path)
    record = Record(patient="ada", contacts=(Contact(name="Cleo", has_key=True),))
    listed = dict.fromkeys(LISTS) | {"allergies": (PENICILLIN,), "implants": ()}
    with psycopg.connect(dsn) as conn:
        roster.save(conn, record, seal, NOW, listed)
        found, entries = roster.read(conn, "ada", seal), roster.entries(conn, "ada", seal)
    assert entries == listed
    assert found.allergies == ("Penicillin: anaphylaxis, high risk (2009)",)
    assert (found.implants, found.problems) == ((), UNKNOWN)  # none, and not known, stay apart
    assert found.contacts == record.contacts


def test_rows_of_before_still_read(dsn: str, tmp_path: Path) -> None:
    seal = Seal(tmp_path)
    with psycopg.connect(dsn) as conn:
        roster.save(conn, Record(patient="ada", problems=("Hypertension", "AF")), seal, NOW)
        assert roster.read(conn, "ada", seal).problems == ("Hypertension", "AF")
        assert roster.entries(conn, "ada", seal)["problems"] == (Entry(text="Hypertension"), Entry(text="AF"))
        assert roster.entries(conn, "nobody", seal) == dict.fromkeys(LISTS)
