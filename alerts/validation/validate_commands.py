"""`tierwatch validate`: the product scored on annotated recordings, beside its targets and other people's detectors.

A thin shell: it finds the folders, shares the recordings among processes, shows how far it is, prints and writes.
"""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

from alerts.validation.collection import PROTOCOLS, NothingToScore, sources
from alerts.validation.physionet import BASE_URL, COLLECTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from alerts.validation.collection import Source
    from alerts.validation.results import Results

Given = TypeVar("Given")
Made = TypeVar("Made")

app = typer.Typer()

FoldersArgument = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Folders of WFDB recordings with their annotations, or a folder of such folders.", metavar="[FOLDER]..."
    ),
]
JobsOption = Annotated[int, typer.Option("--jobs", min=1, max=64, help="Processes.")]
OutOption = Annotated[Path | None, typer.Option("--out", help="Folder for validate.json and report.html.")]
RobustnessOption = Annotated[
    bool,
    typer.Option(
        "--robustness",
        help="Also strain the recordings: polarity, gain, rate, hum, gaps, steps, lead off; noise if nstdb is among the folders.",
    ),
]
FetchOption = Annotated[
    list[str] | None,
    typer.Option(
        "--fetch",
        help="Download a collection from PhysioNet first: mitdb, cudb, vfdb, nsrdb, nstdb, ltafdb, cpsc2021, challenge2015, "
        "challenge2017. Cut off, the same command goes on where it stopped.",
    ),
]
ToOption = Annotated[Path, typer.Option("--to", help="With --fetch: the folder for the collections.")]
BaseOption = Annotated[
    str,
    typer.Option(
        "--base-url", envvar="TIERWATCH_PHYSIONET", help="With --fetch: where collections lie, as on a mirror."
    ),
]
RecordsOption = Annotated[bool, typer.Option("--records", help="Also a line for each recording.")]
PeersOption = Annotated[
    bool, typer.Option("--peers/--no-peers", help="Run other people's QRS detectors on the same leads; they take long.")
]


@app.command()
def validate(
    folders: FoldersArgument = None,
    out: OutOption = None,
    jobs: JobsOption = 1,
    records: RecordsOption = False,
    peers: PeersOption = True,
    robustness: RobustnessOption = False,
    fetch: FetchOption = None,
    to: ToOption = Path("recordings"),
    base_url: BaseOption = BASE_URL,
) -> None:
    """Score the product on annotated recordings: beats, classes, rhythms, alarms, each with its 95 % interval and target.

    Each recording goes the whole way of `tierwatch replay`. A collection is known by its folder's name (mitdb, cudb, vfdb,
    nsrdb, ltafdb, cpsc2021, challenge2015, challenge2017) or by what lies in it; any other folder with annotations (.atr)
    is scored for beats and rhythm. One recording that cannot be read is named, and the exit code is 1.

    Example: [bold]tierwatch validate recordings/mitdb recordings/nsrdb --jobs 2 --out results[/bold]

    Example: [bold]tierwatch validate --fetch mitdb --to recordings[/bold]
    """
    for name in fetch or ():
        _download(name, to, base_url)
    if fetch and not folders:
        typer.echo(f"To score it: tierwatch validate {' '.join(str(to / name) for name in fetch)}")
        return
    try:
        found = sources(folders or [])
    except NothingToScore as error:
        _fail(str(error))
    results = run(found, jobs=jobs, peers=peers, robustness=robustness)
    show(results, records=records)
    if out is not None:
        keep(results, out)
    if any(one.error for one in results.examined):
        raise typer.Exit(1)


def _download(name: str, to: Path, base_url: str) -> None:
    """Fetch one collection, showing how far it is."""
    import httpx2
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from alerts.validation.fetch import TIMEOUT_S, Fetch, FetchFailed
    from alerts.validation.fetch import Progress as Step

    if name not in COLLECTIONS:
        _fail(f"there is no collection {name}; there are {', '.join(COLLECTIONS)}")
    published = COLLECTIONS[name]
    typer.echo(f"{published.title}. Licence: {published.licence}. Cite: {published.cite}")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[at]}"),
        TimeElapsedColumn(),
    )
    client = httpx2.Client(
        timeout=TIMEOUT_S,
        follow_redirects=True,
        limits=httpx2.Limits(max_connections=1),
        headers={"User-Agent": "tierwatch-validate"},
    )
    with client, Progress(*columns, transient=True) as progress:
        bar = progress.add_task(name, total=None, at="listing")

        def tell(step: Step) -> None:
            progress.update(bar, total=step.of, completed=step.files, at=f"{step.path} {step.received / 1e6:.1f} MB")

        address = f"{base_url.rstrip('/')}/{published.folder}"
        try:
            got = Fetch(client=client, address=address, folder=to / name, tell=tell).run()
        except (FetchFailed, OSError) as error:
            _fail(str(error))
    typer.echo(f"{to / name}: {got.downloaded} files downloaded, {got.there_already} were there, all checked")


def run(found: list[Source], *, jobs: int, peers: bool, robustness: bool) -> Results:
    """Examine everything that was found."""
    from importlib.metadata import version

    from alerts.validation.examine import Task, examine, known_peers
    from alerts.validation.figures import figures_of
    from alerts.validation.peers import absent
    from alerts.validation.results import Results
    from alerts.validation.robustness import by_strain, strained, tasks_of

    begin = time.monotonic()
    tasks = [
        Task(
            source=one.name,
            collection=one.collection,
            path=path,
            truth=one.truth.get(path.name, ()),
            peers=known_peers(peers),
        )
        for one in found
        if PROTOCOLS[one.collection]
        for path in one.records
    ]
    examined = share_out(examine, tasks, jobs, "recordings")
    strains = tasks_of(found) if robustness else []
    lines = by_strain(strains, share_out(strained, strains, jobs, "strained recordings"))
    return Results(
        version=version("tierwatch"),
        made_at=datetime.now(UTC),
        took_s=time.monotonic() - begin,
        sources=found,
        examined=examined,
        figures=figures_of(examined),
        absent=absent() if peers else (),
        strained=lines,
    )


def show(results: Results, *, records: bool) -> None:
    """Print the tables."""
    from alerts.validation.statements import DEVELOPED_ON, NOT_CLEARED
    from alerts.validation.table import print_failures, print_figures, print_peers, print_records, print_robustness

    print_figures(results.figures)
    print_peers(results.figures, results.examined, results.absent)
    print_robustness(results.strained)
    if records:
        print_records(results.examined)
    print_failures(results.examined)
    typer.echo(f"{NOT_CLEARED}\n{DEVELOPED_ON}")
    typer.echo(f"{len(results.examined)} recordings in {results.took_s:.0f} s")


def keep(results: Results, out: Path) -> None:
    """Write both files."""
    from alerts.validation.pictures import pictures
    from alerts.validation.report import report
    from alerts.validation.results import as_json, write

    write(out / "validate.json", as_json(results))
    write(out / "report.html", report(results, pictures(results.examined)))
    typer.echo(f"{out / 'report.html'} and {out / 'validate.json'}")


def share_out(work: Callable[[Given], Made], given: list[Given], jobs: int, what: str) -> list[Made]:
    """Everything given, done by so many processes, in its order whoever did it; shows how far it is."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from stream.ecg.advance import compile_kernels

    if not given:
        return []
    compile_kernels()  # once, before the processes start: they would all compile the same otherwise
    done: dict[int, Made] = {}
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, transient=True) as progress:
        bar = progress.add_task(what, total=len(given))
        if jobs == 1:
            for number, one in enumerate(given):
                done[number] = work(one)
                progress.advance(bar)
        else:
            with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
                waiting = {pool.submit(work, one): number for number, one in enumerate(given)}
                for future in as_completed(waiting):
                    done[waiting[future]] = future.result()
                    progress.advance(bar)
    return [done[number] for number in sorted(done)]


def _fail(sentence: str) -> NoReturn:
    typer.echo(f"tierwatch: {sentence}", err=True)
    raise typer.Exit(1)
