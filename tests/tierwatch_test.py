"""The command line from outside: the guard, the settings file, the help, `check`, and what `up` says when it cannot."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import tierwatch
from stream.servers.data_folder import DataFolder, hold
from stream.servers.privilege import default_data

if TYPE_CHECKING:
    from collections.abc import Iterator

HOME = Path(__file__).parents[1]


@pytest.fixture
def place() -> Iterator[Path]:
    """A working folder that PostgreSQL's user may pass through."""
    found = Path(tempfile.mkdtemp(prefix="tw-"))
    found.chmod(0o755)
    yield found
    shutil.rmtree(found)


def call(place: Path, *words: str, path: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder."""
    environment = {**os.environ, "PYTHONPATH": path or str(HOME), "COLUMNS": "200", "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, "-m", "tierwatch", *words],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def free_ports(place: Path) -> tuple[int, int]:
    """A settings file with two ports that nobody listens on."""
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        mqtt, pages = one.getsockname()[1], two.getsockname()[1]
    (place / "tierwatch.toml").write_text(f"[stream]\nmqtt_port = {mqtt}\n[api]\nport = {pages}\n")
    return mqtt, pages


def test_the_guard_names_an_intruder(place: Path) -> None:
    (place / "stream").mkdir()
    (place / "stream" / "__init__.py").write_text("raise SystemExit('a foreign package ran')\n")
    done = call(place, "--help", path=f"{place}:{HOME}")
    assert done.returncode == 1
    assert str(place / "stream") in done.stderr
    assert str(HOME / "stream") in done.stderr
    assert "foreign package ran" not in done.stderr


def test_the_guard_accepts_our_own() -> None:
    tierwatch.guard()


@pytest.mark.parametrize("command", ["up", "demo", "check"])
def test_the_help_of_each_command_has_an_example(place: Path, command: str) -> None:
    done = call(place, command, "--help")
    assert done.returncode == 0
    assert f"Example: tierwatch {command}" in done.stdout


def test_help_lists_the_commands_and_hides_the_childrens(place: Path) -> None:
    done = call(place, "--help")
    assert done.returncode == 0
    for command in ("up", "demo", "check"):
        assert f"│ {command} " in done.stdout
    assert "│ run " not in done.stdout


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "[stream]\nmqtt_prt = 1884\n",
            ["mqtt_prt", "mqtt_port"],
        ),  # a slip of the pen: what it may have meant is listed
        ("[streem]\nmqtt_port = 1884\n", ["streem", "[stream]"]),
        ("[stream]\nmqtt_port = 70000\n", ["mqtt_port", "65535"]),
        ("[stream]\nmqtt_port = \n", ["tierwatch.toml"]),
        ("[stream]\ndsn = 'host=db password=hunter2'\n", ["passfile"]),  # secrets are files, never settings
    ],
)
def test_a_wrong_settings_file_says_what_is_wrong(place: Path, text: str, words: list[str]) -> None:
    (place / "tierwatch.toml").write_text(text)
    done = call(place, "check")
    assert done.returncode == 1
    for word in words:
        assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr + done.stdout


def test_a_settings_file_that_is_not_there_is_named(place: Path) -> None:
    done = call(place, "check", "--config", "elsewhere.toml")
    assert done.returncode == 1
    assert "elsewhere.toml" in done.stderr


def test_the_data_folder_is_chosen_by_option_then_file_then_default(place: Path) -> None:
    config = place / "tierwatch.toml"
    config.write_text("[stream]\ndata = 'kept'\n")
    assert tierwatch.Settings(config, None).folder.root == place.resolve() / "kept"
    assert tierwatch.Settings(config, place / "other").folder.root == place.resolve() / "other"
    config.write_text("")
    assert tierwatch.Settings(config, None).folder.root == default_data(HOME)


def test_a_dsn_of_your_own_starts_no_postgres(place: Path) -> None:
    config = place / "tierwatch.toml"
    config.write_text("[stream]\ndsn = 'host=db dbname=tierwatch'\n")
    settings = tierwatch.Settings(config, place / "data")
    assert settings.dsn == "host=db dbname=tierwatch"
    assert [child.name for child in tierwatch.children_of(settings)] == [
        "migrate",
        "nats",
        "station",
        "api",
        "auditor",
        "intake",
        "upkeep",
        "measurer",
    ]
    config.write_text("")
    settings = tierwatch.Settings(config, place / "data")
    names = [child.name for child in tierwatch.children_of(settings)]
    assert names == ["postgres", "migrate", "nats", "station", "api", "auditor", "intake", "upkeep", "measurer"]


def test_no_secret_is_on_a_childs_command_line(place: Path) -> None:
    from stream.servers.mqtt_clients import INTAKE, add_client, password_of

    settings = tierwatch.Settings(None, place / "data")
    settings.folder.make()
    add_client(settings.folder.root, "gw1")
    for child in tierwatch.children_of(settings):
        assert password_of(settings.folder.root, INTAKE) not in " ".join(child.command)
        assert "password" not in " ".join(child.command)


def test_check_passes_on_a_fit_machine_that_runs_nothing(place: Path) -> None:
    mqtt, _ = free_ports(place)
    done = call(place, "check", "--data", "data")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    for name in ("clock", "disk", f"port {mqtt}", "broker", "database", "detector", "secrets"):
        assert any(line[6:].startswith(name) for line in lines), name


def test_check_fails_on_a_taken_port_and_says_which_setting_moves_it(place: Path) -> None:
    mqtt, _ = free_ports(place)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", mqtt))
        taken.listen()
        done = call(place, "check", "--data", "data")
        assert done.returncode == 1
        assert any(line.startswith("BAD") and "[stream] mqtt_port" in line for line in done.stdout.splitlines())
        up = call(place, "up", "--data", "data")
        assert up.returncode == 1
        assert "[stream] mqtt_port" in up.stdout
        assert "Traceback" not in up.stderr


def test_check_fails_on_an_open_secret(place: Path) -> None:
    free_ports(place)
    folder = DataFolder(place / "data")
    folder.make()
    (folder.keys / "leaky").write_text("x")
    (folder.keys / "leaky").chmod(0o644)
    done = call(place, "check", "--data", "data")
    assert done.returncode == 1
    assert any(line.startswith("BAD") and "leaky" in line for line in done.stdout.splitlines())


def test_check_expects_the_servers_while_a_supervisor_holds_the_folder(place: Path) -> None:
    free_ports(place)
    folder = DataFolder(place / "data")
    folder.make()
    with hold(folder):
        done = call(place, "check", "--data", "data")
    assert done.returncode == 1
    bad = [line for line in done.stdout.splitlines() if line.startswith("BAD")]
    assert any("broker" in line for line in bad)
    assert any("database" in line for line in bad)


def test_the_lines_of_a_check_are_aligned() -> None:
    from stream.servers.checkup import Check, Grade, lines

    found = lines(
        [
            Check(name="x", grade=Grade.OK, text="TEXT one"),
            Check(name="port 12345", grade=Grade.NOTE, text="TEXT two"),
            Check(name="disk", grade=Grade.BAD, text="TEXT three"),
        ]
    )
    assert len({line.index("TEXT") for line in found}) == 1
    assert [line.split()[0] for line in found] == ["ok", "note", "BAD"]


def test_a_check_that_breaks_is_a_bad_line_not_the_end() -> None:
    from stream.servers.checkup import Check, Grade, guarded

    def broken() -> Check:
        raise ConnectionError("nobody there\nsecond line")

    found = guarded("database", broken)
    assert (found.name, found.grade) == ("database", Grade.BAD)
    assert found.text == "ConnectionError: nobody there"


def test_a_webhook_is_reached_and_signed_for_or_bad(place: Path) -> None:
    from stream.servers.checkup import Grade, guarded, webhook

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/emergencies"
        assert webhook("dispatch", url, has_secret=True).grade is Grade.OK
        assert webhook("dispatch", url, has_secret=False).grade is Grade.NOTE
    assert guarded("webhook", lambda: webhook("dispatch", url, has_secret=True)).grade is Grade.BAD
    free_ports(place)
    with (place / "tierwatch.toml").open("a") as more:
        more.write(f"[alerts.endpoints]\ndispatch = '{url}'\n")
    done = call(place, "check", "--data", "data")
    assert any("webhook dispatch" in line for line in done.stdout.splitlines())


def test_options_before_a_command_of_ours_are_not_passed_over(place: Path) -> None:
    done = call(place, "--data", "elsewhere", "check")
    assert done.returncode == 1
    assert "after its name" in done.stderr


def test_children_read_no_settings_file_of_another_folder(place: Path) -> None:
    (place / "tierwatch.toml").write_text("[stream]\nmqtt_port = 4242\n")
    words = tierwatch.run_command(tierwatch.Settings(None, place / "data"), "intake")
    assert words[words.index("--config") + 1] == os.devnull
    assert tierwatch.Settings(Path(os.devnull), place / "data").stream.mqtt_port == 1883


def test_a_full_disk_is_bad(place: Path) -> None:
    from stream.servers import checkup

    folder = DataFolder(place / "data")
    assert checkup.disk(folder, 10).grade is checkup.Grade.OK
    assert checkup.disk(folder, 10**9).grade is checkup.Grade.BAD


def test_every_process_has_the_same_clock(place: Path) -> None:
    first = tierwatch.Settings(None, place / "data", 10.0)
    words = tierwatch.run_command(first, "intake")
    assert words[words.index("--speed") + 1] == "10.0"
    anchor = datetime.fromisoformat(words[words.index("--anchor") + 1])
    second = tierwatch.Settings(None, place / "data", 10.0, anchor)
    assert second.anchor == first.anchor
    before, between, after = first.now(), second.now(), first.now()
    assert before <= between <= after


def test_the_demo_leads_emergencies_to_its_own_dispatch_centre_and_up_does_not(place: Path) -> None:
    shown = tierwatch.Settings(None, place / "data", is_demo=True)
    assert shown.alerts.endpoints == {"dispatch": shown.sims.dispatch_url}
    assert shown.alerts.allowed_private_hosts == ("127.0.0.1",)
    assert [child.name for child in tierwatch.children_of(shown)][-2:] == ["story", "sims"]
    real = tierwatch.Settings(None, place / "data")
    assert real.alerts.endpoints == {}
    assert real.alerts.allowed_private_hosts == ()


def test_demo_refuses_records_that_are_no_folder(place: Path) -> None:
    done = call(place, "demo", "--records", "nowhere")
    assert done.returncode == 2
    assert "nowhere" in done.stdout
