"""Tierwatch's command line, and the place where the parts are put together.

It checks that the packages are ours, mounts each folder's commands, and tells every child process what to run. Nothing
is decided here: each folder is handed its settings, its clock and its ports.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
from dataclasses import replace
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from alerts.clock import Clock
    from alerts.settings import AlertsSettings
    from api.settings import ApiSettings
    from device_sims.registration import Api
    from device_sims.settings import DeviceSimsSettings
    from stream.servers.children import Child

HOME = Path(__file__).resolve().parent
FOLDERS = ("gateway", "stream", "alerts", "api", "device_sims")


class NotOurs(RuntimeError):
    """A package of our name comes from somewhere else."""


def guard(home: Path = HOME) -> None:
    """Each package lies beside this file; a foreign `stream` in site-packages would win silently otherwise."""
    for name in FOLDERS:
        found = find_spec(name)
        if found is None:
            raise NotOurs(f"The package {name} is missing beside {home / 'tierwatch.py'}: install Tierwatch again.")
        places = (
            [Path(found.origin).parent]
            if found.origin
            else [Path(one) for one in found.submodule_search_locations or ()]
        )
        for place in places:
            if place.resolve() != home / name:
                raise NotOurs(
                    f"The package {name} comes from {place}, not from {home / name}. Something else of that name is "
                    f"installed or on PYTHONPATH: remove it, or use a virtual environment of Tierwatch's own."
                )


try:
    guard()  # before anything of a foreign package can run
except NotOurs as error:
    sys.exit(f"tierwatch: {error}")

from datetime import UTC, datetime  # noqa: E402 - typer reads it at run time

import typer  # noqa: E402

from stream.place import Place  # noqa: E402
from stream.servers.child_process import say  # noqa: E402
from stream.settings_file import BadSettings  # noqa: E402

OWN_COMMANDS = frozenset({"up", "demo", "check", "run"})
"""Commands of this file; any other word has the folders' commands loaded."""
LOOPBACK = "127.0.0.1"
DISPATCH = "dispatch"
"""The endpoint that the demo's dispatch centre is."""
WORLD = "world"
"""Of the demo's data folder: outboxes of its gateways, and the dispatch centre's log."""
RECORDS_VARIABLE = "TIERWATCH_RECORDS"
"""How the folder of recordings comes to the world's process."""

app = typer.Typer(
    name="tierwatch",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Remote patient monitoring that loses nothing: wearables in, three tiers of alert out.\n\n"
    "Start with [bold]tierwatch demo[/bold]: patients with wearables, an emergency, and a dispatch centre, all on this "
    "machine. Every setting has a default; [bold]tierwatch.toml[/bold] in the working folder changes them, one table a folder.",
)

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Settings file. Default: tierwatch.toml, if it is here.")
]
DataOption = Annotated[
    Path | None, typer.Option("--data", help="The data folder; goes before the one of the settings.")
]
SpeedOption = Annotated[float, typer.Option("--speed", min=0.1, max=100.0, help="How many seconds pass in one.")]


def mount() -> None:
    """Put each folder's commands beside ours; the gateway's are a group, as `gateway run` reads better than `run`."""
    for folder in FOLDERS:
        if find_spec(f"{folder}.commands") is None:
            continue
        module = import_module(f"{folder}.commands")
        if folder == "gateway":
            app.add_typer(module.ingest, name="ingest")
        app.add_typer(module.app, name="gateway" if folder == "gateway" else None)


@app.callback()
def where(context: typer.Context, config: ConfigOption = None, data: DataOption = None) -> None:
    """Which Tierwatch is meant: a command of a folder finds it as `context.obj()`."""
    if context.invoked_subcommand in OWN_COMMANDS and (config or data):
        raise BadSettings(f"--config and --data of `{context.invoked_subcommand}` come after its name")
    context.obj = partial(_settings, config, data)


def _settings(config: Path | None, data: Path | None) -> Settings:
    found = Settings(config, data)
    found.compile_here()
    return found


def main() -> None:
    """Run the command line."""
    try:
        if next((word for word in sys.argv[1:] if not word.startswith("-")), "") not in OWN_COMMANDS:
            mount()
        app()
    except BadSettings as error:
        sys.exit(f"tierwatch: {error}")


class Settings(Place):
    """What all folders were told."""

    def __init__(
        self,
        path: Path | None = None,
        data: Path | None = None,
        speed: float = 1.0,
        anchor: datetime | None = None,
        *,
        is_demo: bool = False,
    ) -> None:
        super().__init__(FOLDERS, path, data, speed, anchor)
        self.is_demo = is_demo
        if is_demo:  # emergencies lead to the simulated dispatch centre, on this machine
            endpoints = {DISPATCH: self.sims.dispatch_url, **self.alerts.endpoints}
            hosts = (*self.alerts.allowed_private_hosts, LOOPBACK)
            change = {"endpoints": endpoints, "allowed_private_hosts": hosts}
            self.tables["alerts"] = self.alerts.model_copy(update=change)
            # Its links are opened on this machine.
            self.tables["api"] = self.api.model_copy(update={"public_url": self.api.public_url or pages(self)})

    @property
    def alerts(self) -> AlertsSettings:
        """The [alerts] table."""
        return cast("AlertsSettings", self.tables["alerts"])

    @property
    def api(self) -> ApiSettings:
        """The [api] table."""
        return cast("ApiSettings", self.tables["api"])

    @property
    def sims(self) -> DeviceSimsSettings:
        """The [device_sims] table."""
        return cast("DeviceSimsSettings", self.tables["device_sims"])

    @property
    def clock(self) -> Clock:
        """The one clock, as alerts and API are handed it."""
        from alerts.clock import WallClock

        return WallClock(self.speed, None if self.speed == 1.0 else self.anchor)


def children_of(settings: Settings) -> list[Child]:
    """What `up` runs, in order: servers with the migration between them, our own processes, in the demo the world."""
    from stream.servers.children import Child, Port, answers, servers

    stream, url = settings.stream, pages(settings)
    found = servers(settings.folder, mqtt_port=stream.mqtt_port, shard=stream.shard, with_postgres=not stream.dsn)
    found.insert(len(found) - 1, Child(name="migrate", command=run_command(settings, "migrate"), is_once=True))
    found += [
        Child(name="station", command=run_command(settings, "station"), holds_up_s=20.0),
        Child(
            name="api",
            command=run_command(settings, "api"),
            probe=lambda _: answers(f"{url}/livez"),
            holds_up_s=20.0,
            ports=(Port(number=settings.api.port, setting="[api] port"),),
        ),
        Child(name="auditor", command=run_command(settings, "auditor"), holds_up_s=20.0),
        Child(
            name="intake",
            command=run_command(settings, "intake"),
            stop_within_s=20,
            note="after an install or an upgrade the detector is compiled, once: about a minute",
        ),
    ]
    found.append(Child(name="upkeep", command=run_command(settings, "upkeep")))
    found.append(Child(name="measurer", command=run_command(settings, "measurer"), holds_up_s=0.5))
    if settings.is_demo:
        port = Port(number=settings.sims.dispatch_port, setting="[device_sims] dispatch_port")
        found += [
            Child(name="story", command=run_command(settings, "story"), is_on_screen=True),
            Child(name="sims", command=run_command(settings, "sims"), ports=(port,), is_on_screen=True),
        ]
    return found


def run_command(settings: Settings, name: str) -> tuple[str, ...]:
    """How a child of ours is started: this very program, by the interpreter that runs us; never a secret in it."""
    config = os.devnull if settings.path is None else str(settings.path)  # not whatever lies where the child starts
    anchor = settings.anchor.strftime("%Y-%m-%dT%H:%M:%S")
    return (
        *(sys.executable, "-m", "tierwatch", "run", name, "--config", config, "--data", str(settings.folder.root)),
        *("--speed", str(settings.speed), "--anchor", anchor, *(["--demo"] if settings.is_demo else [])),
    )


def pages(settings: Settings) -> str:
    """Where the API and its pages are."""
    return f"http://{settings.api.host}:{settings.api.port}"


def start(
    settings: Settings,
    children: list[Child],
    *,
    for_s: float | None,
    ready: str,
    meanwhile: Callable[[threading.Event], None] = lambda _: None,
) -> None:
    """Run the children until somebody stops us; every trouble of the start is one readable line."""
    from stream.servers.children import PortBusy
    from stream.servers.data_folder import FolderInUse, FolderUnusable
    from stream.servers.supervisor import supervise

    say(
        "Settings in force"
        + (f" ({settings.path})" if settings.path else " (defaults: there is no tierwatch.toml here)")
    )
    for line in settings.lines():
        say(line)
    try:
        supervise(settings.folder, children, say, for_s=for_s, ready=lambda: say(ready), meanwhile=meanwhile)
    except (PortBusy, FolderInUse, FolderUnusable) as error:
        say(f"tierwatch: {error}")
        raise typer.Exit(1) from error
    say("Stopped; everything is on the disk.")


@app.command()
def up(config: ConfigOption = None, data: DataOption = None, speed: SpeedOption = 1.0) -> None:
    """Run Tierwatch on this machine: database, broker, intake, alerts and pages. Ctrl-C stops it cleanly.

    Example: [bold]tierwatch up --data /srv/tierwatch[/bold]
    """
    settings = Settings(config, data, speed)
    settings.compile_here()
    start(settings, children_of(settings), for_s=None, ready=f"Ready. Pages: {pages(settings)}/  Stop: Ctrl-C")


@app.command()
def demo(
    config: ConfigOption = None,
    data: DataOption = None,
    speed: SpeedOption = 1.0,
    records: Annotated[
        Path | None, typer.Option(help="Folder of WFDB recordings to play. Without: synthetic ECG.")
    ] = None,
    for_s: Annotated[float | None, typer.Option("--for", min=1.0, help="Stop by itself after so many seconds.")] = None,
    story: Annotated[
        bool, typer.Option("--story", help="Watch it headless; exit code 0 only if each person was told.")
    ] = False,
    within_s: Annotated[
        float, typer.Option("--within", min=1.0, help="With --story: give up so many seconds after it was ready.")
    ] = 300.0,
) -> None:
    """Show it: virtual patients with wearables, an emergency, and the dispatch centre that receives it.

    Everything stays on this machine, in a data folder of its own (`demo` in the data folder; of a --story that was told
    nothing is kept). Recordings: --records, else $TIERWATCH_DATA, else synthetic ECG.

    Example: [bold]tierwatch demo --records recordings/cudb --speed 2[/bold]
    """
    from device_sims.showing import NoRecords, Showing, recordings

    try:
        folder = recordings(records)
    except NoRecords as error:
        say(f"tierwatch: {error}")
        raise typer.Exit(2) from error
    if folder is not None:
        os.environ[RECORDS_VARIABLE] = str(folder)
    usual = Settings(config, data, speed)
    usual.compile_here()  # the detector is the same, whatever the data: it is compiled once
    place = data or usual.folder.root / (f"story-{usual.anchor:%Y%m%dT%H%M%S}" if story else "demo")
    settings = Settings(config, place, speed, usual.anchor, is_demo=True)
    children = [replace(one, is_on_screen=one.is_on_screen and not story) for one in children_of(settings)]
    log = settings.folder.root / WORLD / "dispatch.jsonl"
    showing = Showing(partial(_clinic, settings), say, log, datetime.now(UTC), within_s if story else None)
    playing = f"recordings of {folder}" if folder else "synthetic ECG"
    ready = f"Ready, with {playing}. All that happens comes within two minutes. Stop: Ctrl-C"
    start(settings, children, for_s=0.0 if story else for_s, ready=ready, meanwhile=showing)
    if story and not showing.is_told:
        say(f"Not everybody was told; what was written is kept in {place}")
        raise typer.Exit(1)
    if story and data is None:
        shutil.rmtree(place, ignore_errors=True)


@app.command()
def check(config: ConfigOption = None, data: DataOption = None) -> None:
    """See whether this machine is fit to run it: a line each, exit code 1 if one is BAD.

    Clock, disk, ports, broker, database, webhooks, compiled detector, secrets. It changes nothing.

    Example: [bold]tierwatch check && tierwatch up[/bold]
    """
    from alerts.delivery.fitness import of_delivery
    from stream.servers import checkup

    settings = Settings(config, data)
    found = checkup.of_place(settings, children_of(settings))
    found += of_delivery(settings.alerts, settings.folder.keys)
    found.append(checkup.heartbeat(settings.alerts.heartbeat_url))
    for line in checkup.lines(found):
        say(line)
    if any(one.grade is checkup.Grade.BAD for one in found):
        raise typer.Exit(1)


def _migrate(settings: Settings) -> None:
    from stream.store.maintain import make_room
    from stream.store.migrate import migrate

    migrate(settings.dsn)
    make_room(settings.dsn)


def _upkeep(settings: Settings) -> None:
    from stream.servers.child_process import stop_on_signal, tell_ready
    from stream.upkeep import run as run_upkeep

    run_upkeep(settings.dsn, settings.stream.ecg_days, stop_on_signal(), tell_ready)


def _intake(settings: Settings) -> None:
    from stream.embedded import run as run_intake
    from stream.servers.child_process import tell_ready

    run_intake(settings, tell_ready)


def _station(settings: Settings) -> None:
    from alerts.delivery.channels import channels
    from alerts.sealing import Seal
    from alerts.station import run as run_station
    from alerts.strip import strip_source
    from api.links import link_source
    from api.roster import record_source
    from stream.ecg_coding import compile_coding
    from stream.servers.child_process import stop_on_signal, tell_ready
    from stream.store.connect import connect

    keys = settings.folder.keys
    seal = Seal(keys)
    # What a strip is read with is compiled beside the work: no alert waits for it, nor its strip later on.
    threading.Thread(target=compile_coding, name="strip", daemon=True).start()
    run_station(
        settings.alerts,
        settings.dsn,
        record_source(lambda: connect(settings.dsn, "record", patience_s=0.0), seal),
        channels(settings.alerts, keys, settings.dsn, settings.api.public_url),
        settings.clock,
        seal,
        strips=strip_source(lambda: connect(settings.dsn, "strip", patience_s=0.0)),
        links=link_source(lambda: connect(settings.dsn, "link", patience_s=0.0), keys, settings.api.public_url),
        stop=stop_on_signal(),
        ready=tell_ready,
    )


def _measurer(settings: Settings) -> None:
    from alerts.measurer import run as run_measurer
    from stream.servers.child_process import stop_on_signal, tell_ready

    os.nice(10)  # whatever tells people goes first
    run_measurer(settings.dsn, settings.clock, stop_on_signal(), tell_ready)


def _auditor(settings: Settings) -> None:
    from alerts.auditor import Auditor
    from alerts.delivery.channels import channels
    from alerts.delivery.heartbeat import Heartbeat
    from alerts.sealing import Seal
    from stream.servers.child_process import stop_on_signal, tell_ready
    from stream.servers.children import answers

    alerts, keys = settings.alerts, settings.folder.keys
    auditor = Auditor(
        settings.dsn,
        channels(alerts, keys, settings.dsn, settings.api.public_url),
        settings.clock,
        Seal(keys),
        Heartbeat(alerts.heartbeat_url, alerts.allowed_private_hosts),
        probes={"api": partial(answers, f"{pages(settings)}/livez")},
        speed=settings.speed,
        shard=settings.stream.shard,
    )
    auditor.run(stop_on_signal(), tell_ready)


def _api(settings: Settings) -> None:
    import uvicorn

    from api.app import create_app

    application = create_app(settings.api, settings.dsn, settings.folder.keys, settings.clock, settings.alerts)
    # No access log: addresses of pages hold ids of people, and the audit trail is the API's own.
    uvicorn.run(application, host=settings.api.host, port=settings.api.port, access_log=False, log_level="warning")


def _clinic(settings: Settings) -> Api:
    """The API as the demo's clinic speaks to it."""
    from api.access import OPERATOR, ensure_token
    from device_sims.registration import Api

    return Api(url=pages(settings), token=ensure_token(settings.folder.keys, OPERATOR))


def _sims(settings: Settings) -> None:
    """The world is handed passwords and tokens as any owner of a device is, and no database address."""
    from alerts.delivery.signing import ensure_secret
    from device_sims.pace import Pace
    from device_sims.world import World, clients, run
    from gateway.gateway import Broker
    from stream.servers.child_process import tell_ready
    from stream.servers.mqtt_clients import add_clients

    keys, stream = settings.folder.keys, settings.stream
    records = os.environ.get(RECORDS_VARIABLE)
    world = World(
        folder=settings.folder.root / WORLD,
        broker=Broker(host=LOOPBACK, port=stream.mqtt_port, protocol="3.1.1"),  # all that the embedded one speaks
        passwords=add_clients(settings.folder.root, clients(settings.sims), stream.shard),
        pace=Pace(speed=settings.speed, anchor=settings.anchor),
        settings=settings.sims,
        webhook_secret=ensure_secret(keys, DISPATCH),
        api=_clinic(settings),
        records=None if records is None else Path(records),
        shard=stream.shard,
    )
    run(world, tell_ready)


def _story(settings: Settings) -> None:
    from alerts.story import tell
    from stream.servers.child_process import stop_on_signal, tell_ready

    stop = stop_on_signal()
    tell_ready()
    tell(settings.dsn, settings.anchor, say, stop)


PARTS: Mapping[str, Callable[[Settings], None]] = {
    "migrate": _migrate,
    "upkeep": _upkeep,
    "intake": _intake,
    "station": _station,
    "api": _api,
    "auditor": _auditor,
    "measurer": _measurer,
    "sims": _sims,
    "story": _story,
}


@app.command(hidden=True)
def run(
    name: str,
    config: ConfigOption = None,
    data: DataOption = None,
    speed: SpeedOption = 1.0,
    anchor: Annotated[datetime | None, typer.Option()] = None,
    is_demo: Annotated[bool, typer.Option("--demo")] = False,
) -> None:
    """Be one child process of the supervisor."""
    from stream.servers.child_process import log_as_json

    settings = Settings(config, data, speed, anchor, is_demo=is_demo)
    settings.compile_here()
    log_as_json()
    if name not in PARTS:
        raise typer.BadParameter(f"{name} is no child process; there are {', '.join(PARTS)}")
    PARTS[name](settings)


if __name__ == "__main__":
    main()
