"""Queries come out of their file as written, and a mistake in the file is told at once, by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.store.sql import SqlFileError, UnknownQuery, queries

_ROOT = Path(__file__).parents[3]


def _file(folder: Path, text: str) -> Path:
    path = folder / "some.sql"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_query_is_its_statement_without_comments(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        "-- What this file is for.\n\n"
        "-- first --\n-- Takes 100 % of them.\nSELECT 1,\n    2  -- two\n\n"
        "-- second --\nSELECT %(x)s\n",
    )
    assert dict(queries(path)) == {"first": "SELECT 1,\n    2  -- two", "second": "SELECT %(x)s"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        # Copied and forgotten to rename: one of the two would never run.
        ("-- a --\nSELECT 1\n-- a --\nSELECT 2\n", "some.sql:3: query 'a' is there twice"),
        # The statement went missing: psycopg would run an empty string without a word.
        ("-- a --\n-- a comment\n-- b --\nSELECT 1\n", "no SQL under a"),
        # A heading with a typing mistake: its SQL would be lost.
        ("-- A-b --\nSELECT 1\n", "some.sql:2: SQL before the first"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SqlFileError, match=told):
        queries(_file(tmp_path, text))


def test_an_unknown_name_is_told_with_the_known_ones(tmp_path: Path) -> None:
    loaded = queries(_file(tmp_path, "-- here --\nSELECT 1\n-- there --\nSELECT 2\n"))
    with pytest.raises(UnknownQuery, match=r"some\.sql holds no query 'her'; it has: here, there$"):
        loaded["her"]


def test_every_file_of_queries_in_the_tree_reads() -> None:
    files = [
        path
        for folder in ("gateway", "stream", "alerts", "api", "device_sims")
        for path in (_ROOT / folder).rglob("*.sql")
        if path.parent.name != "migrations"
    ]
    assert files
    for path in files:
        assert len(queries(path)) > 0
