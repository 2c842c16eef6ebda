"""What counts as left over: only what wears the mark."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from stream.servers.leftovers import find, is_left_over, sweep

MARK = "tierwatch-0123456789-postgres"


@pytest.mark.parametrize(
    ("environment", "command", "is_ours"),
    [
        # A child, or a child's child: the environment is inherited.
        ({"TIERWATCH_CHILD": MARK}, ["python"], True),
        # The postmaster, which as root we may not look into.
        ({}, ["/x/bin/postgres", "-D", "/d", "-c", f"cluster_name={MARK}"], True),
        # An orphaned backend in the middle of a query: the one that blocks a restart.
        ({}, [f"postgres: {MARK}: tierwatch tierwatch [local] SELECT"], True),
        ({}, [f"postgres: {MARK}: checkpointer "], True),
        # Another child, another folder, another PostgreSQL, somebody who searches for us: never touched.
        ({"TIERWATCH_CHILD": "tierwatch-0123456789-nats"}, ["nats-server"], False),
        ({"TIERWATCH_CHILD": "tierwatch-9999999999-postgres"}, ["postgres"], False),
        ({}, ["postgres: 15/main: checkpointer "], False),
        ({}, ["postgres: checkpointer "], False),
        ({}, ["grep", MARK], False),
        ({}, [f"less /var/log/{MARK}"], False),
        ({}, [], False),  # a zombie
    ],
)
def test_only_what_wears_the_mark(environment: dict[str, str], command: list[str], *, is_ours: bool) -> None:
    assert is_left_over(MARK, environment, command) is is_ours


def test_a_mark_that_ends_in_a_dash_names_every_child_of_the_folder() -> None:
    for name in ("postgres", "nats", "intake"):
        assert is_left_over("tierwatch-0123456789-", {"TIERWATCH_CHILD": f"tierwatch-0123456789-{name}"}, [])
    assert not is_left_over("tierwatch-0123456789-", {"TIERWATCH_CHILD": "tierwatch-0123456780-nats"}, [])


def test_a_sweep_ends_the_marked_and_spares_the_rest() -> None:
    wait = [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"]
    mark = f"tierwatch-test{os.getpid()}-sweep"
    marked = subprocess.Popen(wait, env={**os.environ, "TIERWATCH_CHILD": mark}, stdout=subprocess.PIPE)
    stranger = subprocess.Popen(wait, stdout=subprocess.PIPE)
    with marked, stranger:
        assert marked.stdout is not None
        assert marked.stdout.read(1)
        assert find(mark) == [marked.pid]
        assert sweep(mark) == 1
        assert marked.wait(10) == -9
        assert stranger.poll() is None
        stranger.kill()
