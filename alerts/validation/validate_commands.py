"""`tierwatch validate`: the product scored on annotated recordings, beside its targets and other people's detectors.

A thin shell: it finds the folders, shares the recordings among processes, shows how far it is, prints and writes.
"""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from alerts.validation.collection import Source
    from alerts.validation.examine import Examined, Task

app = typer.Typer()

FoldersArgument = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Folders of WFDB recordings with their annotations, or a folder of such folders.", metavar="[FOLDER]..."
    ),
]
JobsOption = Annotated[int, typer.Option("--jobs", min=1, max=64, help="Processes.")]
RecordsOption = Annotated[bool, typer.Option("--records", help="Also a line for each recording.")]
PeersOption = Annotated[
    bool, typer.Option("--peers/--no-peers", help="Run other people's QRS detectors on the same leads; they take long.")
]


@app.command()
def validate(
    folders: FoldersArgument = None,
    jobs: JobsOption = 1,
    records: RecordsOption = False,
    peers: PeersOption = True,
) -> None:
    """Score the product on annotated recordings: beats, classes, rhythms, alarms, each with its 95 % interval and target.

    Each recording goes the whole way of `tierwatch replay`. A collection is known by its folder's name (mitdb, cudb, vfdb,
    nsrdb, ltafdb, cpsc2021, challenge2015, challenge2017) or by what lies in it; any other folder with annotations (.atr)
    is scored for beats and rhythm. One recording that cannot be read is named, and the exit code is 1.

    Example: [bold]tierwatch validate recordings/mitdb recordings/nsrdb --jobs 2[/bold]
    """
    from alerts.validation.collection import NothingToScore, sources

    try:
        found = sources(folders or [])
    except NothingToScore as error:
        _fail(str(error))
    _score(found, jobs, records, peers)


def _score(found: list[Source], jobs: int, records: bool, peers: bool) -> None:
    from alerts.validation.examine import Task, known_peers
    from alerts.validation.figures import figures_of
    from alerts.validation.peers import absent
    from alerts.validation.table import print_failures, print_figures, print_peers, print_records

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
        for path in one.records
    ]
    examined = examine_all(tasks, jobs)
    figures = figures_of(examined)
    print_figures(figures)
    print_peers(figures, examined, absent() if peers else [])
    if records:
        print_records(examined)
    print_failures(examined)
    typer.echo(f"{len(examined)} recordings in {time.monotonic() - begin:.0f} s")
    if any(one.error for one in examined):
        raise typer.Exit(1)


def examine_all(tasks: list[Task], jobs: int) -> list[Examined]:
    """Every recording, in the order of the tasks, whoever did it."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from alerts.validation.examine import examine
    from stream.ecg.advance import compile_kernels

    compile_kernels()  # once, before the processes start: they would all compile the same otherwise
    done: dict[int, Examined] = {}
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, transient=True) as progress:
        bar = progress.add_task("recordings", total=len(tasks))

        def take(number: int, one: Examined) -> None:
            done[number] = one
            progress.update(bar, advance=1, description=f"{one.task.source}/{one.record}")

        if jobs == 1:
            for number, task in enumerate(tasks):
                take(number, examine(task))
        else:
            with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
                waiting = {pool.submit(examine, task): number for number, task in enumerate(tasks)}
                for future in as_completed(waiting):
                    take(waiting[future], future.result())
    return [done[number] for number in sorted(done)]


def _fail(sentence: str) -> NoReturn:
    typer.echo(f"tierwatch: {sentence}", err=True)
    raise typer.Exit(1)
