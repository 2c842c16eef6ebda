"""A console counts as a way to reach somebody only while a session of that person says that it is there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest

from alerts import listeners
from alerts.delivery.console import Console
from alerts.delivery.outcome import Delivered, Message, Retry
from tests.alerts.desk import START

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def conn(dsn: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(dsn, autocommit=True) as made:
        yield made


def _message(person: str = "lin") -> Message:
    return Message(
        notice=uuid4(), type="alert.raised", person="doctor", address=person, tier="emergency",
        body=b"{}", at=START,
    )  # fmt: skip


def test_a_notice_reaches_a_console_only_while_a_session_of_that_person_is_live(
    dsn: str, conn: psycopg.Connection
) -> None:
    console = Console(partial(listeners.is_listening, dsn))
    assert isinstance(console.deliver(_message()), Retry)
    assert listeners.refresh(conn, "lin", "tab-1", START)
    assert isinstance(console.deliver(_message()), Delivered)
    assert isinstance(console.deliver(_message("bea")), Retry)
    listeners.leave(conn, "lin", "tab-1")
    assert isinstance(console.deliver(_message()), Retry)


def test_a_session_that_is_not_heard_of_any_more_does_not_count(dsn: str, conn: psycopg.Connection) -> None:
    listeners.refresh(conn, "lin", "tab-1", START, for_s=-1.0)
    assert not listeners.is_listening(dsn, "lin")
    assert listeners.refresh(conn, "lin", "tab-1", START), "it has come back: what waited for it is due"


def test_of_two_sessions_one_may_go(dsn: str, conn: psycopg.Connection) -> None:
    assert listeners.refresh(conn, "lin", "desk", START)
    assert not listeners.refresh(conn, "lin", "phone", START)
    listeners.leave(conn, "lin", "desk")
    assert listeners.is_listening(dsn, "lin")
