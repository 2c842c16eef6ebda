"""The supervisor over trivial children: order, restarts, clean ends, and what a kill -9 leaves behind (nothing)."""

from __future__ import annotations

import os
import signal
import socket
import stat
import threading
import time
from typing import TYPE_CHECKING

import pytest

from stream.servers.children import answers
from stream.servers.data_folder import is_held
from tests.stream.servers.conftest import Run, seconds_until_alone, told

if TYPE_CHECKING:
    from collections.abc import Callable

    Start = Callable[..., Run]

    from stream.servers.data_folder import DataFolder


def test_children_start_in_order_each_after_the_one_before_is_ready(folder: DataFolder, supervised: Start) -> None:
    run = supervised("first:well", "then:once", "last:well")
    run.until("ALL READY")
    assert [line.split()[0] for line in told(folder)] == ["first", "then", "last"]
    assert run.end() == 0


def test_ctrl_c_ends_them_in_the_reverse_order_and_leaves_nothing(folder: DataFolder, supervised: Start) -> None:
    run = supervised("first:well", "second:well", "third:well")
    run.until("ALL READY")
    assert run.end(signal.SIGINT) == 0
    assert [line for line in told(folder) if "stopped" in line] == ["third stopped", "second stopped", "first stopped"]
    assert seconds_until_alone(folder) < 1.0
    assert run.said[-1] == "STOPPED"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_other_polite_ends(folder: DataFolder, supervised: Start, how: signal.Signals) -> None:
    run = supervised("only:well")
    run.until("ALL READY")
    assert run.end(how) == 0
    assert told(folder)[-1] == "only stopped"


def test_a_stubborn_child_is_named_and_killed(folder: DataFolder, supervised: Start) -> None:
    run = supervised("mule:stubborn")
    run.until("ALL READY")
    assert run.end() == 0
    assert any("mule" in line and "killed" in line for line in run.said)
    assert seconds_until_alone(folder) < 1.0


def test_what_a_teller_prints_is_on_the_screen_and_what_it_logs_is_not(folder: DataFolder, supervised: Start) -> None:
    run = supervised("story:talk", "quiet:well")
    run.until("for the person")
    run.until("ALL READY")
    assert run.end() == 0
    assert not any("for the log" in line for line in run.said)
    assert folder.log_of("story").read_text() == "for the log\n"


def test_a_second_ctrl_c_hurries(folder: DataFolder, supervised: Start) -> None:
    run = supervised("mule:stubborn-long", "well:well")
    run.until("ALL READY")
    run.process.send_signal(signal.SIGINT)
    deadline = time.monotonic() + 20
    while "well stopped" not in told(folder):  # the stop has begun, and now hangs on the mule for a minute
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert run.end(signal.SIGINT) == 0
    assert time.monotonic() < deadline
    assert seconds_until_alone(folder) < 1.0


def test_a_child_that_nobody_depends_on_does_not_hold_the_others_up(folder: DataFolder, supervised: Start) -> None:
    run = supervised("pages:crash-alone", "intake:well")
    run.until("pages", "go on without it")
    run.until("ALL READY")
    assert "intake" in {line.split()[0] for line in told(folder)}
    assert run.end() == 0


def test_a_stop_during_the_start_starts_nothing_more(folder: DataFolder, supervised: Start) -> None:
    run = supervised("broken:crash", "never:well")
    run.until("broken", "starting it again")
    assert run.end() == 0
    assert not any(line.startswith("never") for line in told(folder))


def test_kill_9_of_the_supervisor_leaves_no_child_after_5_s_and_the_next_start_works(
    folder: DataFolder, supervised: Start
) -> None:
    run = supervised("brood:brood", "mule:stubborn")
    run.until("ALL READY")
    run.kill()
    assert seconds_until_alone(folder) < 5.0
    again = supervised("brood:brood", "mule:well")
    again.until("ALL READY")
    assert again.end() == 0


def test_the_next_start_waits_for_the_last_run_to_end(folder: DataFolder, supervised: Start) -> None:
    run = supervised("mule:stubborn")
    run.until("ALL READY")
    run.kill()
    again = supervised("mule:well")
    again.until("last run is still ending")
    again.until("ALL READY")
    assert again.end() == 0


def test_a_child_that_ends_is_started_again_with_growing_delays(folder: DataFolder, supervised: Start) -> None:
    run = supervised("broken:crash")
    assert "exit code 1" in run.until("starting it again in 0.1 s")
    assert "a line that says why" in run.until("broken")
    run.until("starting it again in 0.5 s")
    run.until("starting it again in 1 s")
    run.until("starting it again in 2 s")
    run.end()
    assert sum("started" in line for line in told(folder)) == 4


def test_a_killed_child_is_back_at_once(folder: DataFolder, supervised: Start) -> None:
    run = supervised("only:well")
    run.until("ALL READY")
    os.kill(int(told(folder)[0].split()[2]), signal.SIGKILL)
    assert "killed by SIGKILL" in run.until("starting it again in 0.1 s")
    run.until("only  ready  ")
    assert run.end() == 0


def test_a_step_that_fails_is_repeated_before_anything_after_it_starts(folder: DataFolder, supervised: Start) -> None:
    run = supervised("step:once-late", "after:well")
    run.until("ALL READY")
    assert [line.split()[0] for line in told(folder)] == ["step", "step", "after"]
    run.end()


def test_a_held_folder_names_its_holder(folder: DataFolder, supervised: Start) -> None:
    run = supervised("only:well")
    run.until("ALL READY")
    assert is_held(folder)
    second = supervised("only:well")
    refusal = second.until("REFUSED")
    assert second.ended() == 1
    assert str(run.process.pid) in refusal
    assert "--data" in refusal
    assert run.process.poll() is None
    assert run.end() == 0
    assert not is_held(folder)


def test_the_folder_is_free_at_once_after_a_kill(folder: DataFolder, supervised: Start) -> None:
    run = supervised("only:well")
    run.until("ALL READY")
    run.kill()
    assert not is_held(folder)


def test_a_busy_port_is_named_with_the_setting_that_moves_it(folder: DataFolder, supervised: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = supervised("first:well", f"second:port={port}")
        refusal = run.until("REFUSED")
        assert run.ended() == 1
    assert str(port) in refusal
    assert "[play] port" in refusal
    assert told(folder) == []


def test_it_stops_by_itself_when_told_for_how_long(supervised: Start) -> None:
    run = supervised("only:well", "--for", "0.2")
    run.until("ALL READY")
    assert run.ended() == 0


def test_secrets_and_logs_are_closed_to_others(folder: DataFolder, supervised: Start) -> None:
    run = supervised("only:well")
    run.until("ALL READY")
    run.end()
    for closed in (folder.keys, folder.logs, folder.run):
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.log_of("only").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.root.stat().st_mode) & 0o066 == 0


def test_something_else_on_the_port_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            with server.accept()[0] as line:
                line.sendall(b"INFO {}\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        assert not answers(f"http://127.0.0.1:{server.getsockname()[1]}/livez")
        thread.join()
