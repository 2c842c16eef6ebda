"""A keeper ends what it keeps, whatever the child does and however the supervisor goes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from stream.servers.kept import HOME
from stream.servers.leftovers import find
from tests.stream.servers.conftest import seconds_until_alone, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.servers.data_folder import DataFolder

PLAY = str(Path(__file__).with_name("play.py"))


class Keeper:
    """A keeper as a process, with our end of its leash."""

    def __init__(self, folder: DataFolder, *command: str, grace: float = 1.0) -> None:
        leash_end, self.leash = os.pipe()
        hear, tell = os.pipe()
        self.hear = os.fdopen(hear)
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "stream.servers.keeper", "--fd", str(leash_end), "--tell", str(tell)),
                *("--mark", folder.mark("played"), "--lock", str(folder.run / "played.lock"), "--grace", str(grace)),
                *("--", *command),
            ],
            pass_fds=(leash_end, tell),
            cwd=HOME,
            start_new_session=True,
        )
        os.close(leash_end)
        os.close(tell)

    def until(self, key: str) -> Any:
        """The next thing it tells of this kind."""
        for line in self.hear:
            said = json.loads(line)
            if key in said:
                return said[key]
        pytest.fail(f"it ended without telling {key}")

    def let_go(self) -> None:
        """What the kernel does with the leash of a dead supervisor."""
        os.close(self.leash)
        self.leash = -1


@pytest.fixture
def keep(folder: DataFolder) -> Iterator[Any]:
    """Start keepers on the folder; their leashes are let go at the end."""
    keepers: list[Keeper] = []

    def start(behaviour: str, grace: float = 1.0) -> Keeper:
        command = (sys.executable, PLAY, behaviour, str(folder.root), "played")
        keepers.append(Keeper(folder, *command, grace=grace))
        return keepers[-1]

    yield start
    for keeper in keepers:
        if keeper.leash >= 0:
            keeper.let_go()
        keeper.process.wait(20)
        keeper.hear.close()


def test_end_of_file_ends_the_child_politely(folder: DataFolder, keep: Any) -> None:
    keeper = keep("well", grace=10.0)
    assert keeper.until("ready") is True
    keeper.let_go()
    assert keeper.process.wait(10) == 0
    assert told(folder)[-1] == "played stopped"


def test_a_child_that_will_not_stop_is_killed_after_the_grace(folder: DataFolder, keep: Any) -> None:
    keeper = keep("stubborn", grace=0.3)
    keeper.until("ready")
    begun = time.monotonic()
    keeper.let_go()
    assert keeper.process.wait(10) == 128 + signal.SIGKILL
    assert time.monotonic() - begun >= 0.3
    assert find(folder.mark("played")) == []


def test_grandchildren_in_sessions_of_their_own_go_too(folder: DataFolder, keep: Any) -> None:
    keeper = keep("brood")
    keeper.until("ready")
    assert len(find(folder.mark("played"))) == 2
    keeper.let_go()
    keeper.process.wait(10)
    assert find(folder.mark("played")) == []


def test_when_the_child_is_killed_its_brood_does_not_outlive_it(folder: DataFolder, keep: Any) -> None:
    keeper = keep("brood")
    child = keeper.until("pid")
    keeper.until("ready")
    os.kill(child, signal.SIGKILL)
    assert keeper.process.wait(10) == 128 + signal.SIGKILL
    assert find(folder.mark("played")) == []


def test_the_exit_code_comes_through(keep: Any) -> None:
    assert keep("crash").process.wait(10) == 1
    assert keep("once").process.wait(10) == 0


def test_a_killed_keeper_takes_its_child_along_and_the_next_one_sweeps_the_brood(folder: DataFolder, keep: Any) -> None:
    first = keep("brood")
    child = first.until("pid")
    first.until("ready")
    first.process.kill()
    first.process.wait(10)
    second = keep("well")
    assert second.until("left_over") >= 1
    assert second.until("ready") is True
    assert find(folder.mark("played")) != []
    assert child not in find(folder.mark("played"))


def test_a_byte_on_the_leash_gives_the_child_its_time(folder: DataFolder, keep: Any) -> None:
    keeper = keep("well", grace=0.0)  # without the byte it would be killed at once
    keeper.until("ready")
    os.write(keeper.leash, bytes([30]))
    assert keeper.process.wait(10) == 0
    assert told(folder)[-1] == "played stopped"


def test_what_cannot_be_started_is_told(folder: DataFolder) -> None:
    keeper = Keeper(folder, "/no/such/program")
    assert "/no/such/program" in keeper.until("error")
    assert keeper.process.wait(10) == 127
    keeper.let_go()
    keeper.hear.close()
    assert seconds_until_alone(folder) < 5.0
