"""`tierwatch store ...` as a person types it: on a server of one's own, and on the embedded one, which runs only meanwhile."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from typer.testing import CliRunner

from stream.servers.data_folder import DataFolder, hold, is_held
from stream.servers.leftovers import find, sweep
from stream.servers.postgres import dsn as embedded_dsn
from stream.settings import StreamSettings
from stream.store.commands import app
from stream.store.migrate import migrate
from stream.store.place import with_store

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Here:
    """What tierwatch.py hands to the commands."""

    folder: DataFolder
    stream: StreamSettings

    @property
    def dsn(self) -> str:
        """Of the embedded server, unless another was set."""
        return self.stream.dsn or embedded_dsn(self.folder.root)


@pytest.fixture
def here() -> Iterator[Here]:
    """An empty data folder that the server's user can reach."""
    place = Path(tempfile.mkdtemp(prefix="tw-"))
    place.chmod(0o711)
    folder = DataFolder(place / "data")
    yield Here(folder, StreamSettings())
    sweep(folder.mark())
    shutil.rmtree(place)


def _type(*words: object, obj: Any = None) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(word) for word in words], obj=obj, terminal_width=200)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, " ".join(f"{done.output} {done.exception or ''}".split())


def test_a_store_from_backup_to_restore(filler: Any, empty_dsn: str, tmp_path: Path, now: datetime) -> None:
    filler.batch(now, now, readings_at=(now,))
    file = tmp_path / "store.zip"
    code, said = _type("maintain", "--dsn", filler.dsn)
    assert code == 0
    # The command asks the server's clock: from a day before it, and before the log's, to a week after.
    clocks = {now.date(), datetime.now(UTC).date()}
    days = len({day + timedelta(days=n) for day in clocks for n in range(-1, 8)})
    assert f"stream.reading {days} days given a part of their own" in said
    assert _type("maintain", "--dsn", filler.dsn) == (0, "Nothing to do.")
    code, said = _type("backup", file, "--dsn", filler.dsn)
    assert (code, "judged up to position 1." in said) == (0, True)
    code, said = _type("verify", file)
    assert (code, "store.zip: whole;" in said) == (0, True)
    code, said = _type("restore", file, "--dsn", empty_dsn, "--lanes", tmp_path / "lanes.jsonl")
    assert code == 0
    assert "gw e1 d ecg/I 1 0" in said
    assert "Fence raised (shard 0: 1000000)" in said
    assert [json.loads(line) for line in (tmp_path / "lanes.jsonl").read_text().splitlines()] == [
        {"client": "gw", "epoch": "e1", "device": "d", "stream": "ecg/I", "stored": [[1, 1]]}
    ]
    code, said = _type("restore", file, "--dsn", empty_dsn)
    assert (code, "this database holds a store already" in said) == (1, True)


def test_without_settings_a_database_must_be_named(tmp_path: Path) -> None:
    code, said = _type("backup", tmp_path / "store.zip")
    assert (code, "give --dsn" in said) == (1, True)


def test_a_database_without_a_store_is_told(empty_dsn: str, tmp_path: Path) -> None:
    for words in (("maintain",), ("backup", tmp_path / "store.zip")):
        code, said = _type(*words, "--dsn", empty_dsn)
        assert (code, "there is no store in this database yet" in said) == (1, True)
    assert list(tmp_path.iterdir()) == []


def test_the_embedded_server_runs_for_the_work_alone(here: Here, filler: Any, tmp_path: Path, now: datetime) -> None:
    filler.batch(now, now)
    file = tmp_path / "store.zip"
    _type("backup", file, "--dsn", filler.dsn)
    code, said = _type("restore", file, obj=lambda: here)
    assert (code, "Restored" in said) == (0, True), said
    assert not find(here.folder.mark())
    assert not is_held(here.folder)

    def count(dsn: str) -> object:
        assert is_held(here.folder)
        with psycopg.connect(dsn) as conn:
            return conn.execute("SELECT count(*) FROM stream.ecg").fetchone()

    assert with_store(here, count) == (1,)
    with hold(here.folder):  # as `tierwatch up` does
        code, said = _type("restore", file, obj=lambda: here)
    assert (code, "is in use by another Tierwatch" in said) == (1, True)


def test_work_that_fails_ends_the_embedded_server_too(here: Here) -> None:
    def fail(dsn: str) -> None:
        migrate(dsn)
        raise KeyError("some bug")

    with pytest.raises(KeyError, match="some bug"):
        with_store(here, fail)
    assert not find(here.folder.mark())
    assert not is_held(here.folder)


def test_a_server_of_ones_own_is_not_started(here: Here, dsn: str) -> None:
    own = Here(here.folder, StreamSettings.model_construct(dsn=dsn))
    code, said = _type("maintain", obj=lambda: own)
    assert (code, "days given a part" in said) == (0, True)
    assert not here.folder.root.exists()
