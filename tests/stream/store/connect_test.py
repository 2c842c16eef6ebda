"""Connecting waits for a server that starts; a wake arrives on commit, and a lost server is found again."""

from __future__ import annotations

import threading
import time

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from stream.store.connect import StoreUnreachable, Waiter, connect, wake


def test_a_connection_commits_by_itself_and_has_a_name(dsn: str) -> None:
    with connect(dsn, "intake") as conn:
        assert conn.autocommit
        assert conn.execute("SELECT current_setting('application_name')").fetchone() == ("tierwatch intake",)


def test_a_server_that_does_not_come_is_told_with_its_reason(dsn: str) -> None:
    nowhere = make_conninfo(dsn, dbname="nowhere")
    with pytest.raises(StoreUnreachable, match=r"no database for 0\.3 s: .*nowhere"):
        connect(nowhere, "intake", patience_s=0.3)


def test_a_database_that_appears_in_time_is_found(postgres: str, dsn: str) -> None:
    late = make_conninfo(postgres, dbname="tierwatch_late")

    def make() -> None:
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("CREATE DATABASE tierwatch_late TEMPLATE template0")

    maker = threading.Timer(0.3, make)
    maker.start()
    try:
        connect(late, "intake", patience_s=20.0).close()
    finally:
        maker.join()
        with psycopg.connect(postgres, autocommit=True) as conn:
            conn.execute("DROP DATABASE IF EXISTS tierwatch_late WITH (FORCE)")


def test_a_wake_arrives_on_commit_and_not_before(dsn: str) -> None:
    with connect(dsn, "a") as conn, Waiter(dsn, "b", "findings", "commands") as waiter:
        with conn.transaction():
            wake(conn, "findings")
            assert not waiter.wait(0.05)
        assert waiter.wait(10.0)
        assert not waiter.wait(0.05)
        wake(conn, "something_else")
        assert not waiter.wait(0.05)


def test_a_waiter_finds_a_lost_server_again(dsn: str) -> None:
    with connect(dsn, "a") as conn, Waiter(dsn, "waiter", "findings") as waiter:
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'tierwatch waiter' AND datname = current_database()",
        )
        asked = time.monotonic()
        while not waiter.wait(0.02):  # counts what went by while nobody listened as a wake
            assert time.monotonic() - asked < 20
        wake(conn, "findings")
        assert waiter.wait(10.0)
