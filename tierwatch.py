"""Tierwatch's command line, and the place where the parts are put together.

It checks that the packages are ours, reads tierwatch.toml, mounts each folder's commands, and tells every child process
what to run. Nothing is decided here: each folder is handed its settings and its ports.
"""

from __future__ import annotations

import os
import sys
import tomllib
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import BaseModel

    from stream.servers.children import Child
    from stream.servers.data_folder import DataFolder
    from stream.settings import StreamSettings

HOME = Path(__file__).resolve().parent
FOLDERS = ("gateway", "stream", "alerts", "api", "device_sims")
CONFIG = Path("tierwatch.toml")
OWN_COMMANDS = frozenset({"up", "demo", "check", "run"})
"""Commands of this file; any other word has the folders' commands loaded."""

app = typer.Typer(
    name="tierwatch",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Remote patient monitoring that loses nothing: wearables in, three tiers of alert out.\n\n"
    "Start with [bold]tierwatch demo[/bold]: patients with wearables, an emergency, and a dispatch centre, all on this machine. "
    "Every setting has a default; [bold]tierwatch.toml[/bold] in the working folder changes them, one table a folder.",
)

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="The settings file. Default: tierwatch.toml here, if there is one.")
]
DataOption = Annotated[Path | None, typer.Option("--data", help="The data folder; goes before [[stream] data of the settings.")]
SpeedOption = Annotated[float, typer.Option("--speed", min=0.1, max=100.0, help="How many seconds pass in one.")]


class NotOurs(RuntimeError):
    """A package of our name comes from somewhere else."""


class BadSettings(RuntimeError):
    """The settings file says something that we do not understand."""


def guard(home: Path = HOME) -> None:
    """Each package lies beside this file; a foreign `stream` in site-packages would win silently otherwise."""
    for name in FOLDERS:
        found = find_spec(name)
        if found is None:
            raise NotOurs(f"The package {name} is missing beside {home / 'tierwatch.py'}: install Tierwatch again.")
        places = [Path(place).resolve() for place in found.submodule_search_locations or ()]
        origin = [Path(found.origin).resolve().parent] if found.origin else []
        for place in origin or places:
            if place != home / name:
                raise NotOurs(
                    f"The package {name} comes from {place}, not from {home / name}. Something else of that name is "
                    f"installed or on PYTHONPATH: remove it, or use a virtual environment of Tierwatch's own."
                )


def mount() -> None:
    """Put each folder's commands beside ours."""
    for folder in FOLDERS:
        if find_spec(f"{folder}.commands") is not None:
            app.add_typer(import_module(f"{folder}.commands").app)


def main() -> None:
    """Run the command line."""
    try:
        guard()
        first = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
        if first not in OWN_COMMANDS:
            mount()
        app()
    except (NotOurs, BadSettings) as error:
        sys.exit(f"tierwatch: {error}")


# --- Settings ---------------------------------------------------------------------------------------------------------


class Settings:
    """What each folder was told, checked; the data folder resolved."""

    def __init__(self, path: Path | None, data: Path | None, speed: float = 1.0, anchor: datetime | None = None) -> None:
        if path is not None and not path.exists():
            raise BadSettings(f"there is no settings file {path}")
        self.path = (path or CONFIG).resolve() if (path or CONFIG).exists() else None
        self.speed = speed
        self.anchor = anchor.replace(tzinfo=UTC) if anchor is not None else datetime.now(UTC).replace(microsecond=0)
        self.tables = read_tables(self.path)
        chosen = data or self.stream.data or default_data()
        base = self.path.parent if self.path is not None and data is None else Path.cwd()
        self.folder = data_folder(base / chosen)

    @property
    def stream(self) -> StreamSettings:
        """The [stream] table."""
        return self.tables["stream"]  # type: ignore[return-value]

    @property
    def dsn(self) -> str:
        """Where the database is, without any secret."""
        from stream.servers.postgres import dsn

        return self.stream.dsn or dsn(self.folder.root)

    @property
    def numba_cache(self) -> Path:
        """Where the compiled detector is kept."""
        return (self.stream.numba_cache or self.folder.numba).resolve()

    def now(self) -> datetime:
        """The one wall clock of every process: real time, or faster from the anchor on."""
        real = datetime.now(UTC)
        return real if self.speed == 1.0 else self.anchor + (real - self.anchor) * self.speed

    def lines(self) -> list[str]:
        """The settings in force, one a line."""
        rows = [("data folder", str(self.folder.root))]
        rows += [
            (f"[{name}] {key}", str(value))
            for name, table in self.tables.items()
            for key, value in table
            if (name, key) != ("stream", "data")
        ]
        width = max(len(name) for name, _ in rows)
        return [f"  {name:<{width}}  {value}" for name, value in rows]


def read_tables(path: Path | None) -> dict[str, BaseModel]:
    """Each folder's settings model, made from its table; anything unknown is an error that names it."""
    from pydantic import ValidationError

    try:
        given: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8")) if path is not None else {}
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"{path}: {error}") from error
    models = {folder: model for folder in FOLDERS if (model := settings_model(folder))}
    if unknown := sorted(set(given) - set(models)):
        raise BadSettings(
            f"{path}: unknown table or setting {', '.join(unknown)}; tables are {', '.join(f'[{name}]' for name in models)}"
        )
    found = {}
    for folder, model in models.items():
        try:
            found[folder] = model.model_validate(given.get(folder, {}))
        except ValidationError as error:
            wrong = "; ".join(
                f"{'.'.join(map(str, fault['loc'])) or folder}: {fault['msg']}" for fault in error.errors(include_url=False)
            )
            raise BadSettings(f"{path}, table [{folder}]: {wrong}. Known settings: {', '.join(model.model_fields)}") from error
    return found


def settings_model(folder: str) -> type[BaseModel] | None:
    """The one settings model that a folder defines, if it has settings."""
    from pydantic import BaseModel

    if find_spec(f"{folder}.settings") is None:
        return None
    module = import_module(f"{folder}.settings")
    for name, found in vars(module).items():
        if (
            name.endswith("Settings")
            and isinstance(found, type)
            and issubclass(found, BaseModel)
            and found.__module__ == module.__name__
        ):
            return found
    return None


def default_data() -> Path:
    """Where the data goes when nobody says."""
    from stream.servers.privilege import default_data as choose

    return choose(HOME)


def data_folder(root: Path) -> DataFolder:
    """The data folder, by its whole name: children start in another working folder."""
    from stream.servers.data_folder import DataFolder

    return DataFolder(root.resolve())


# --- Children ---------------------------------------------------------------------------------------------------------


def children_of(settings: Settings, *extra: Child) -> list[Child]:
    """The table that `up` runs: servers, then migrate before the broker, then our own processes, then what is extra."""
    from stream.servers.children import Child, Port, answers, servers

    port = api_port(settings)
    is_compiled = any(settings.numba_cache.rglob("*.nbi")) if settings.numba_cache.exists() else False
    found = servers(
        settings.folder,
        mqtt_port=settings.stream.mqtt_port,
        shard=settings.stream.shard,
        with_postgres=not settings.stream.dsn,
    )
    found.insert(len(found) - 1, Child(name="migrate", command=run_command(settings, "migrate"), is_once=True))
    return [
        *found,
        Child(name="station", command=run_command(settings, "station")),
        Child(
            name="api",
            command=run_command(settings, "api"),
            probe=lambda _: answers(f"http://127.0.0.1:{port}/livez"),
            ports=(Port(number=port, setting="[api] port"),),
        ),
        Child(
            name="intake",
            command=run_command(settings, "intake"),
            stop_within_s=20,
            note="" if is_compiled else "compiling the detector, once: about a minute",
        ),
        *extra,
    ]


def run_command(settings: Settings, name: str, *more: str) -> tuple[str, ...]:
    """How a child of ours is started: this very program, by the interpreter that runs us."""
    config = () if settings.path is None else ("--config", str(settings.path))
    anchor = settings.anchor.strftime("%Y-%m-%dT%H:%M:%S")
    return (
        *(sys.executable, "-m", "tierwatch", "run", name, *config, "--data", str(settings.folder.root)),
        *("--speed", str(settings.speed), "--anchor", anchor, *more),
    )


def api_port(settings: Settings) -> int:
    """Where the API listens, on loopback."""
    return int(getattr(settings.tables.get("api"), "port", 8080))


def say(text: str) -> None:
    """A line for the person at the terminal; one who went away (a closed pipe) is no reason to stop."""
    try:
        print(text, flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - for the rest of this process


def start(settings: Settings, children: list[Child], *, for_s: float | None, ready: Callable[[], None]) -> None:
    """Run the children until somebody stops us; every trouble of the start is one readable line."""
    from stream.servers.children import PortBusy
    from stream.servers.data_folder import FolderInUse, FolderUnusable
    from stream.servers.supervisor import supervise

    say("Settings in force" + (f" ({settings.path})" if settings.path else " (defaults: there is no tierwatch.toml here)"))
    for line in settings.lines():
        say(line)
    try:
        supervise(settings.folder, children, say, for_s=for_s, ready=ready)
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
    start(
        settings,
        children_of(settings),
        for_s=None,
        ready=lambda: say(f"Ready. Pages: http://127.0.0.1:{api_port(settings)}/  Stop: Ctrl-C"),
    )


@app.command()
def demo(
    config: ConfigOption = None,
    data: DataOption = None,
    speed: SpeedOption = 1.0,
    records: Annotated[Path | None, typer.Option(help="A folder of WFDB recordings to play; without it: synthetic ECG.")] = None,
    for_s: Annotated[float | None, typer.Option("--for", min=1.0, help="Stop by itself after so many seconds.")] = None,
) -> None:
    """Show it: virtual patients with wearables, an emergency, and the dispatch centre that receives it.

    Everything stays on this machine, in a data folder of its own (`demo` in the data folder).

    Example: [bold]tierwatch demo --records recordings/cudb --speed 2[/bold]
    """
    from stream.servers.children import Child

    settings = Settings(config, data, speed)
    if data is None:
        settings = Settings(config, settings.folder.root / "demo", speed)
    if records is not None and not records.is_dir():
        say(f"tierwatch: {records} is no folder: --records takes a folder of WFDB recordings (.hea, .dat), or leave it out.")
        raise typer.Exit(2)
    played = () if records is None else ("--records", str(records.resolve()))
    extra = (
        Child(name="story", command=run_command(settings, "story"), is_on_screen=True),
        Child(name="sims", command=run_command(settings, "sims", *played)),
    )
    start(
        settings,
        children_of(settings, *extra),
        for_s=for_s,
        ready=lambda: say(
            f"Ready. The first emergency comes within two minutes. Pages: http://127.0.0.1:{api_port(settings)}/  Stop: Ctrl-C"
        ),
    )


@app.command()
def check(config: ConfigOption = None, data: DataOption = None) -> None:
    """See whether this machine is fit to run it: a line each, exit code 1 if one is BAD.

    Clock, disk, ports, broker, database, webhooks, compiled detector, secrets. It changes nothing.

    Example: [bold]tierwatch check && tierwatch up[/bold]
    """
    from stream.servers import checkup
    from stream.servers.data_folder import is_held

    settings = Settings(config, data)
    folder, is_running = settings.folder, is_held(settings.folder)
    is_embedded = not settings.stream.dsn
    found = [
        checkup.guarded("clock", checkup.clock),
        checkup.guarded("disk", lambda: checkup.disk(folder, settings.stream.low_disk_mb)),
        *checkup.ports(children_of(settings), is_running=is_running),
        checkup.guarded("broker", lambda: checkup.broker(folder, settings.stream.mqtt_port, is_expected=is_running)),
        checkup.guarded("database", lambda: checkup.database(settings.dsn, is_expected=is_running or not is_embedded)),
        checkup.guarded("detector", lambda: checkup.detector(settings.numba_cache)),
        checkup.guarded("secrets", lambda: checkup.secrets(folder, with_postgres=is_embedded)),
    ]
    for line in checkup.lines(found):
        say(line)
    if any(one.grade is checkup.Grade.BAD for one in found):
        raise typer.Exit(1)


# --- Child processes --------------------------------------------------------------------------------------------------


def _migrate(settings: Settings) -> None:
    from stream.store.migrate import migrate

    say(str(migrate(settings.dsn)))


def _intake(settings: Settings) -> None:
    from stream.embedded import run as run_intake

    from stream.servers.children import tell_ready

    run_intake(settings, tell_ready)


def _station(settings: Settings) -> None:
    from alerts.station import run as run_station

    from stream.servers.children import tell_ready

    run_station(settings, tell_ready)


def _api(settings: Settings) -> None:
    import uvicorn
    from api.app import create_app

    # No access log: addresses of pages hold ids of people, and the audit trail is the API's own.
    uvicorn.run(create_app(settings), host="127.0.0.1", port=api_port(settings), access_log=False, log_level="warning")


def _sims(settings: Settings, records: Path | None) -> None:
    from device_sims.world import run as run_world

    from stream.servers.children import tell_ready

    run_world(settings, records, tell_ready)


def _story(settings: Settings) -> None:
    from alerts.story import tell

    tell(settings, say)


@app.command(hidden=True)
def run(
    name: str,
    config: ConfigOption = None,
    data: DataOption = None,
    speed: SpeedOption = 1.0,
    anchor: Annotated[datetime | None, typer.Option()] = None,
    records: Annotated[Path | None, typer.Option()] = None,
) -> None:
    """Be one child process of the supervisor."""
    settings = Settings(config, data, speed, anchor)
    os.environ["NUMBA_CACHE_DIR"] = str(settings.numba_cache)  # numba reads it when it is first imported: not before here
    parts: Mapping[str, Callable[[], None]] = {
        "migrate": lambda: _migrate(settings),
        "intake": lambda: _intake(settings),
        "station": lambda: _station(settings),
        "api": lambda: _api(settings),
        "sims": lambda: _sims(settings, records),
        "story": lambda: _story(settings),
    }
    if name not in parts:
        raise typer.BadParameter(f"{name} is no child process; there are {', '.join(parts)}")
    parts[name]()


if __name__ == "__main__":
    main()
