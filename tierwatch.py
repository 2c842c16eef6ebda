"""Tierwatch's command line, and the place where the parts are put together.

It checks that the packages are ours, reads tierwatch.toml, mounts each folder's commands, and tells every child process
what to run. Nothing is decided here: each folder is handed its settings, its clock and its ports.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from alerts.settings import AlertsSettings
    from api.settings import ApiSettings
    from device_sims.settings import DeviceSimsSettings
    from stream.servers.children import Child
    from stream.settings import StreamSettings

HOME = Path(__file__).resolve().parent
FOLDERS = ("gateway", "stream", "alerts", "api", "device_sims")
CONFIG = Path("tierwatch.toml")
OWN_COMMANDS = frozenset({"up", "demo", "check", "run"})
"""Commands of this file; any other word has the folders' commands loaded."""
LOOPBACK = "127.0.0.1"
DISPATCH = "dispatch"
"""The endpoint, and the caller of the API, that the demo's dispatch centre is."""

app = typer.Typer(
    name="tierwatch",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Remote patient monitoring that loses nothing: wearables in, three tiers of alert out.\n\n"
    "Start with [bold]tierwatch demo[/bold]: patients with wearables, an emergency, and a dispatch centre, all on this "
    "machine. Every setting has a default; [bold]tierwatch.toml[/bold] in the working folder changes them, one table a folder.",
)

ConfigOption = Annotated[Path | None, typer.Option("--config", help="Settings file. Default: tierwatch.toml, if it is here.")]
DataOption = Annotated[Path | None, typer.Option("--data", help="The data folder; goes before the one of the settings.")]
SpeedOption = Annotated[float, typer.Option("--speed", min=0.1, max=100.0, help="How many seconds pass in one.")]


class NotOurs(RuntimeError):
    """A package of our name comes from somewhere else."""


def guard(home: Path = HOME) -> None:
    """Each package lies beside this file; a foreign `stream` in site-packages would win silently otherwise."""
    for name in FOLDERS:
        found = find_spec(name)
        if found is None:
            raise NotOurs(f"The package {name} is missing beside {home / 'tierwatch.py'}: install Tierwatch again.")
        places = [Path(found.origin).parent] if found.origin else [Path(one) for one in found.submodule_search_locations or ()]
        for place in places:
            if place.resolve() != home / name:
                raise NotOurs(
                    f"The package {name} comes from {place}, not from {home / name}. Something else of that name is "
                    f"installed or on PYTHONPATH: remove it, or use a virtual environment of Tierwatch's own."
                )


def mount() -> None:
    """Put each folder's commands beside ours: the stream's stand alone, the others' are groups."""
    for folder in FOLDERS:
        if find_spec(f"{folder}.commands") is None:
            continue
        for name, found in vars(import_module(f"{folder}.commands")).items():
            if isinstance(found, typer.Typer):
                app.add_typer(found, name=name if name != "app" else None if folder == "stream" else folder)


def main() -> None:
    """Run the command line."""
    try:
        guard()
        from stream.settings_file import BadSettings
    except NotOurs as error:
        sys.exit(f"tierwatch: {error}")
    try:
        if next((word for word in sys.argv[1:] if not word.startswith("-")), "") not in OWN_COMMANDS:
            with suppress(BadSettings):  # it is said where the settings are needed, not by --help
                compile_into(Settings(None, None).numba_cache)
            mount()
        app()
    except BadSettings as error:
        sys.exit(f"tierwatch: {error}")


# --- Settings ---------------------------------------------------------------------------------------------------------


class Settings:
    """What each folder was told, checked; the data folder and the clock that all processes share."""

    def __init__(
        self,
        path: Path | None,
        data: Path | None,
        speed: float = 1.0,
        anchor: datetime | None = None,
        *,
        is_demo: bool = False,
    ) -> None:
        from stream.servers.data_folder import DataFolder
        from stream.servers.privilege import default_data
        from stream.settings_file import BadSettings, read_tables

        if path is not None and not path.exists():
            raise BadSettings(f"there is no settings file {path}")
        self.path = (path or CONFIG).resolve() if (path or CONFIG).exists() else None
        self.is_demo = is_demo
        self.speed = speed
        self.anchor = anchor.replace(tzinfo=UTC) if anchor is not None else datetime.now(UTC).replace(microsecond=0)
        self.tables = read_tables(self.path, FOLDERS)
        base = self.path.parent if self.path is not None and data is None else Path.cwd()
        self.folder = DataFolder((base / (data or self.stream.data or default_data(HOME))).resolve())

    @property
    def stream(self) -> StreamSettings:
        """The [stream] table."""
        return cast("StreamSettings", self.tables["stream"])

    @property
    def api(self) -> ApiSettings:
        """The [api] table."""
        return cast("ApiSettings", self.tables["api"])

    @property
    def sims(self) -> DeviceSimsSettings:
        """The [device_sims] table."""
        return cast("DeviceSimsSettings", self.tables["device_sims"])

    @property
    def alerts(self) -> AlertsSettings:
        """The [alerts] table; in the demo, emergencies lead to the simulated dispatch centre."""
        table = cast("AlertsSettings", self.tables["alerts"])
        if not self.is_demo:
            return table
        endpoints = {DISPATCH: self.sims.dispatch_url, **table.endpoints}
        hosts = (*table.allowed_private_hosts, LOOPBACK)
        return table.model_copy(update={"endpoints": endpoints, "allowed_private_hosts": hosts})

    @property
    def dsn(self) -> str:
        """Where the database is, without any secret."""
        from stream.servers.postgres import dsn

        return self.stream.dsn or dsn(self.folder.root)

    @property
    def numba_cache(self) -> Path:
        """Where the compiled detector is kept; a child takes its supervisor's."""
        return Path(self.stream.numba_cache or os.environ.get("NUMBA_CACHE_DIR") or self.folder.numba).resolve()

    def now(self) -> datetime:
        """The one wall clock of every process: real time, or faster from the anchor on."""
        real = datetime.now(UTC)
        return real if self.speed == 1.0 else self.anchor + (real - self.anchor) * self.speed

    def lines(self) -> list[str]:
        """The settings in force, one a line."""
        from stream.settings_file import lines

        rows = [("data folder", str(self.folder.root)), *lines({**self.tables, "alerts": self.alerts})]
        width = max(len(name) for name, _ in rows)
        return [f"  {name:<{width}}  {value}" for name, value in rows if name != "[stream] data"]


def compile_into(cache: Path) -> None:
    """Where numba keeps what it compiles: read when numba is first imported, so this comes before; children inherit it."""
    os.environ["NUMBA_CACHE_DIR"] = str(cache)


# --- The table of children --------------------------------------------------------------------------------------------


def children_of(settings: Settings) -> list[Child]:
    """What `up` runs, in order: servers with the migration between them, our own processes, in the demo the world."""
    from stream.servers.children import Child, Port, answers, servers

    stream, url = settings.stream, pages(settings)
    is_compiled = any(settings.numba_cache.rglob("*.nbi")) if settings.numba_cache.exists() else False
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
        Child(
            name="intake",
            command=run_command(settings, "intake"),
            stop_within_s=20,
            note="" if is_compiled else "compiling the detector, once: about a minute",
        ),
    ]
    if settings.is_demo:
        port = Port(number=settings.sims.dispatch_port, setting="[device_sims] dispatch_port")
        found += [
            Child(name="story", command=run_command(settings, "story"), is_on_screen=True),
            Child(name="sims", command=run_command(settings, "sims"), ports=(port,)),
        ]
    return found


def run_command(settings: Settings, name: str) -> tuple[str, ...]:
    """How a child of ours is started: this very program, by the interpreter that runs us; never a secret in it."""
    config = () if settings.path is None else ("--config", str(settings.path))
    anchor = settings.anchor.strftime("%Y-%m-%dT%H:%M:%S")
    return (
        *(sys.executable, "-m", "tierwatch", "run", name, *config, "--data", str(settings.folder.root)),
        *("--speed", str(settings.speed), "--anchor", anchor, *(["--demo"] if settings.is_demo else [])),
    )


def pages(settings: Settings) -> str:
    """Where the API and its pages are."""
    return f"http://{settings.api.host}:{settings.api.port}"


def say(text: str) -> None:
    """A line for the person at the terminal; one who went away (a closed pipe) is no reason to stop."""
    try:
        print(text, flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - for the rest of this process


def start(settings: Settings, children: list[Child], *, for_s: float | None, ready: str) -> None:
    """Run the children until somebody stops us; every trouble of the start is one readable line."""
    from stream.servers.children import PortBusy
    from stream.servers.data_folder import FolderInUse, FolderUnusable
    from stream.servers.supervisor import supervise

    say("Settings in force" + (f" ({settings.path})" if settings.path else " (defaults: there is no tierwatch.toml here)"))
    for line in settings.lines():
        say(line)
    try:
        supervise(settings.folder, children, say, for_s=for_s, ready=lambda: say(ready))
    except (PortBusy, FolderInUse, FolderUnusable) as error:
        say(f"tierwatch: {error}")
        raise typer.Exit(1) from error
    say("Stopped; everything is on the disk.")


# --- Commands ---------------------------------------------------------------------------------------------------------


@app.command()
def up(config: ConfigOption = None, data: DataOption = None, speed: SpeedOption = 1.0) -> None:
    """Run Tierwatch on this machine: database, broker, intake, alerts and pages. Ctrl-C stops it cleanly.

    Example: [bold]tierwatch up --data /srv/tierwatch[/bold]
    """
    settings = Settings(config, data, speed)
    compile_into(settings.numba_cache)
    start(settings, children_of(settings), for_s=None, ready=f"Ready. Pages: {pages(settings)}/  Stop: Ctrl-C")


@app.command()
def demo(
    config: ConfigOption = None,
    data: DataOption = None,
    speed: SpeedOption = 1.0,
    records: Annotated[Path | None, typer.Option(help="Folder of WFDB recordings to play. Without: synthetic ECG.")] = None,
    for_s: Annotated[float | None, typer.Option("--for", min=1.0, help="Stop by itself after so many seconds.")] = None,
) -> None:
    """Show it: virtual patients with wearables, an emergency, and the dispatch centre that receives it.

    Everything stays on this machine, in a data folder of its own (`demo` in the data folder).

    Example: [bold]tierwatch demo --records recordings/cudb --speed 2[/bold]
    """
    if records is not None and not records.is_dir():
        say(f"tierwatch: {records} is no folder: --records takes a folder of WFDB recordings (.hea, .dat), or leave it out.")
        raise typer.Exit(2)
    usual = Settings(config, data, speed)
    compile_into(usual.numba_cache)  # the detector is the same, whatever the data: it is compiled once
    place = usual.folder.root / "demo" if data is None else data
    settings = Settings(config, place, speed, usual.anchor, is_demo=True)
    if records is not None:
        os.environ[RECORDS_VARIABLE] = str(records.resolve())
    ready = f"Ready. The first emergency comes within two minutes. Pages: {pages(settings)}/  Stop: Ctrl-C"
    start(settings, children_of(settings), for_s=for_s, ready=ready)


@app.command()
def check(config: ConfigOption = None, data: DataOption = None) -> None:
    """See whether this machine is fit to run it: a line each, exit code 1 if one is BAD.

    Clock, disk, ports, broker, database, webhooks, compiled detector, secrets. It changes nothing.

    Example: [bold]tierwatch check && tierwatch up[/bold]
    """
    from stream.servers import checkup
    from stream.servers.data_folder import is_held

    settings = Settings(config, data)
    stream, folder, is_running = settings.stream, settings.folder, is_held(settings.folder)
    found = [
        checkup.guarded("clock", checkup.clock),
        checkup.guarded("disk", lambda: checkup.disk(folder, stream.low_disk_mb)),
        *checkup.ports(children_of(settings), is_running=is_running),
        checkup.guarded("broker", lambda: checkup.broker(folder, stream.mqtt_port, is_expected=is_running)),
        checkup.guarded("database", lambda: checkup.database(settings.dsn, is_expected=is_running or bool(stream.dsn))),
        checkup.guarded("detector", lambda: checkup.detector(settings.numba_cache)),
        checkup.guarded("secrets", lambda: checkup.secrets(folder, with_postgres=not stream.dsn)),
    ]
    for line in checkup.lines(found):
        say(line)
    if any(one.grade is checkup.Grade.BAD for one in found):
        raise typer.Exit(1)


# --- Child processes --------------------------------------------------------------------------------------------------

RECORDS_VARIABLE = "TIERWATCH_RECORDS"
"""How the folder of recordings comes to the world's process."""


def _migrate(settings: Settings) -> None:
    from stream.store.migrate import migrate

    migrate(settings.dsn)


def _intake(settings: Settings) -> None:
    from stream.embedded import run as run_intake
    from stream.servers.child_process import tell_ready

    run_intake(settings, tell_ready)


def _station(settings: Settings) -> None:
    from alerts.clock import WallClock
    from alerts.delivery.channels import channels
    from alerts.sealing import Seal
    from alerts.station import run as run_station
    from api.roster import record_source
    from stream.servers.child_process import stop_on_signal, tell_ready
    from stream.store.connect import connect

    keys = settings.folder.keys
    seal = Seal(keys)
    run_station(
        settings.alerts,
        settings.dsn,
        record_source(lambda: connect(settings.dsn, "record", patience_s=0.0), seal),
        channels(settings.alerts, keys),
        WallClock(settings.speed, settings.anchor if settings.speed != 1.0 else None),
        seal,
        stop=stop_on_signal(),
        ready=tell_ready,
    )


def _api(settings: Settings) -> None:
    import uvicorn
    from api.app import create_app

    # No access log: addresses of pages hold ids of people, and the audit trail is the API's own.
    uvicorn.run(create_app(settings), host=settings.api.host, port=settings.api.port, access_log=False, log_level="warning")


def _sims(settings: Settings) -> None:
    """The world is handed passwords and tokens as any owner of a device is, and no database address."""
    from alerts.delivery.webhook import ensure_secret
    from api.access import OPERATOR, ensure_token
    from device_sims.pace import Pace
    from device_sims.registration import Api
    from device_sims.world import World, clients, run
    from gateway.gateway import Broker
    from stream.servers.child_process import tell_ready
    from stream.servers.mqtt_clients import add_clients

    keys, stream = settings.folder.keys, settings.stream
    records = os.environ.get(RECORDS_VARIABLE)
    world = World(
        folder=settings.folder.root / "world",
        broker=Broker(host=LOOPBACK, port=stream.mqtt_port),
        passwords=add_clients(settings.folder.root, clients(settings.sims), stream.shard),
        pace=Pace(speed=settings.speed, anchor=settings.anchor),
        settings=settings.sims,
        webhook_secret=ensure_secret(keys, DISPATCH),
        api=Api(url=pages(settings), token=ensure_token(keys, OPERATOR), dispatch_token=ensure_token(keys, DISPATCH)),
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
    "intake": _intake,
    "station": _station,
    "api": _api,
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
    compile_into(settings.numba_cache)
    log_as_json()
    if name not in PARTS:
        raise typer.BadParameter(f"{name} is no child process; there are {', '.join(PARTS)}")
    PARTS[name](settings)


if __name__ == "__main__":
    main()
