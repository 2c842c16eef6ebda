"""The schema after all migrations is what its committed description says, so that a change of it is seen in review.

After a new migration: `TIERWATCH_GOLDEN=write pytest tests/stream/store/schema_test.py`, then read the difference.
"""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest

from stream.store.migrate import FOLDERS
from stream.store.sql import queries

_GOLDEN = Path(__file__).parents[2] / "golden" / "schema"
_SQL = queries(Path(__file__).with_name("schema.sql"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_schema_equals_its_description(dsn: str, folder: str) -> None:
    with psycopg.connect(dsn) as conn:
        if conn.execute("SELECT FROM pg_extension WHERE extname = 'timescaledb'").fetchone():
            pytest.skip("described for plain PostgreSQL; this server has TimescaleDB")
        lines = [row[0] for row in conn.execute(_SQL["describe"], {"schema": folder})]
    told = "".join(f"{line}\n" for line in lines)
    golden = _GOLDEN / f"{folder}.txt"
    if os.environ.get("TIERWATCH_GOLDEN") == "write":
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(told, encoding="utf-8")
    assert golden.is_file(), f"{golden} is missing: see this file's docstring"
    assert told == golden.read_text(encoding="utf-8")
