"""`tierwatch replay`: recordings, or an exported log, through the same order, Ward and policy as live data."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alerts.readings_table import Kind

if TYPE_CHECKING:
    from alerts.readings_replay import ReadingsReplay
    from alerts.replay import Replay
    from alerts.strips_replay import StripReplay

app = typer.Typer(no_args_is_help=True)


RecordsArgument = Annotated[
    list[str] | None, typer.Argument(help="WFDB records: paths without suffix, or .hea files.", metavar="[RECORD]...")
]
LeadOption = Annotated[
    str | None, typer.Option("--lead", help="A lead by name, or [bold]all[/bold]. Default: the first ECG signal.")
]
ChunkOption = Annotated[float, typer.Option("--chunk", min=0.02, max=60.0, help="Seconds of signal in one message.")]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Folder for RECORD.tw and RECORD.jsonl, or for the findings of a log.")
]
JobsOption = Annotated[int, typer.Option("--jobs", min=1, max=64, help="Processes.")]
LogOption = Annotated[Path | None, typer.Option("--log", help="An exported log instead of records.")]
PartitionsOption = Annotated[
    int, typer.Option("--partitions", min=1, max=256, help="With --log: Wards that share the households.")
]
HandoversOption = Annotated[
    int, typer.Option("--handovers", min=0, help="With --log: how often a Ward is saved and made anew.")
]
ReadingsOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--readings",
        help="A CSV table of readings instead of records; more files may follow it, or further --readings.",
    ),
]
KindOption = Annotated[
    Kind | None,
    typer.Option(
        "--kind", help="With --readings: columns timestamp,glucose_mg_dl or timestamp,systolic,diastolic[,pulse]."
    ),
]
StripOption = Annotated[
    bool,
    typer.Option(
        "--strip", help="Records are hand-held strips of 8 to 120 s: one class each, N, A, O or ~ (unreadable)."
    ),
]


@app.command()
def replay(
    records: RecordsArgument = None,
    lead: LeadOption = None,
    chunk: ChunkOption = 1.0,
    out: OutOption = None,
    jobs: JobsOption = 1,
    log: LogOption = None,
    partitions: PartitionsOption = 1,
    handovers: HandoversOption = 0,
    readings: ReadingsOption = None,
    kind: KindOption = None,
    strip: StripOption = False,
) -> None:
    """Judge recordings as if they came in live, as fast as it goes; the result does not depend on --chunk or --jobs.

    Writes for each record a WFDB annotation file (.tw) with beats, rhythm and quality, and a .jsonl with an episode or an
    alert a line. One record that cannot be read is named, the others go on, and the exit code is 1.

    Example: [bold]tierwatch replay mitdb/100 mitdb/101 --out results/mitdb --jobs 2[/bold]

    Example: [bold]tierwatch replay --strip strips/A00001 strips/A00002 --out results/strips[/bold]

    Example: [bold]tierwatch replay --readings cgm/ada.csv --kind glucose --out results/cgm[/bold]

    Example: [bold]tierwatch replay --log tonight.twlog --partitions 4 --handovers 10 --out results[/bold]
    """
    if log is not None:
        _replay_log(log, partitions, handovers, out)
        return
    if readings:
        _replay_readings([*map(str, readings), *(records or [])], kind, out, jobs)
        return
    if not records:
        raise typer.BadParameter("name at least one record, readings with --readings, or a log with --log")
    if strip:
        _replay_strips(records, lead, out, jobs)
        return
    results = _run(records, lead, chunk, out, jobs)
    _table(results)
    failed = [r for r in results if r.error]
    for result in failed:
        typer.echo(f"{result.record}: {result.error}", err=True)
    if failed:
        raise typer.Exit(1)


def _run(records: list[str], lead: str | None, chunk: float, out: Path | None, jobs: int) -> list[Replay]:
    from rich.progress import Progress

    from alerts.replay import replay_record
    from stream.ecg.advance import compile_kernels

    # Once, before the processes start: they would all compile the same otherwise.
    compile_kernels()
    folder = str(out) if out is not None else None
    done: dict[int, Replay] = {}
    with Progress(transient=True) as progress:
        task = progress.add_task("records", total=len(records))
        if jobs == 1:
            for number, record in enumerate(records):
                done[number] = replay_record(record, lead, chunk, folder)
                progress.advance(task)
        else:
            with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
                waiting = {
                    pool.submit(replay_record, record, lead, chunk, folder): n for n, record in enumerate(records)
                }
                for future in as_completed(waiting):
                    done[waiting[future]] = future.result()
                    progress.advance(task)
    return [done[number] for number in sorted(done)]


def _table(results: list[Replay]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("record", box=None)
    for head in ("minutes", "beats", "findings", "alerts", "emergencies"):
        table.add_column(head, justify="right")
    for r in results:
        if not r.error:
            table.add_row(r.record, f"{r.seconds / 60:.1f}", *map(str, (r.beats, r.findings, r.alerts, r.emergencies)))
    Console().print(table)


def _replay_log(path: Path, partitions: int, handovers: int, out: Path | None) -> None:
    import msgspec

    from alerts.replaying import replay_alerts
    from stream.log_file import read
    from stream.log_runner import run_log

    benched, frames = read(path)
    batches = list(frames)
    found = [
        f for _, findings in run_log(batches, benched, partitions=partitions, handovers=handovers) for f in findings
    ]
    alerts = replay_alerts(found)
    typer.echo(f"{path.name}: {len(batches)} positions, {len(found)} findings, {len(alerts)} alerts")
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        lines = (msgspec.json.encode(f).decode() + "\n" for f in found)
        (out / "findings.jsonl").write_text("".join(lines), encoding="utf-8")
        told = ({"id": str(a.alert), "tier": a.tier.name, "condition": str(a.finding.condition)} for a in alerts)
        (out / "alerts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in told), encoding="utf-8")


def _replay_strips(records: list[str], lead: str | None, out: Path | None, jobs: int) -> None:
    from rich.progress import track

    from alerts.strips_replay import judge_records, name_of, write_table

    names = [name_of(record) for record in records]
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise typer.BadParameter(f"two records named {', '.join(twice)}: their rows would have one name")
    judged = judge_records(records, lead, jobs)
    results = list(track(judged, "strips", total=len(records), transient=True))
    if out is not None:
        write_table(results, out)
    _strips_table(results)
    failed = [result for result in results if result.error]
    for result in failed:
        typer.echo(f"{result.record}: {result.error}", err=True)
    if failed:
        raise typer.Exit(1)


def _strips_table(results: list[StripReplay]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("record", "class", box=None)
    for head in ("confidence", "rate", "seconds"):
        table.add_column(head, justify="right")
    for r in results:
        if r.verdict is not None:
            rate = r.verdict.reasons.get("rate_bpm")
            shown = (
                f"{r.verdict.confidence:.2f}",
                f"{rate:.0f}" if rate else "",
                f"{r.verdict.reasons['seconds']:.0f}",
            )
            table.add_row(r.record, r.verdict.strip_class, *shown)
    Console().print(table)


def _replay_readings(files: list[str], kind: Kind | None, out: Path | None, jobs: int) -> None:
    from rich.progress import track

    from alerts.readings_replay import replay_readings

    if kind is None:
        raise typer.BadParameter("say with --kind what the readings are: glucose or pressure")
    stems = [Path(file).stem for file in files]
    twice = sorted({stem for stem in stems if stems.count(stem) > 1})
    if twice:
        raise typer.BadParameter(f"two files named {', '.join(twice)}: their results would have one name")
    work = [(file, kind, str(out) if out is not None else None) for file in files]
    if jobs == 1:
        results = [replay_readings(*one) for one in track(work, "readings", transient=True)]
    else:
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            results = [future.result() for future in [pool.submit(replay_readings, *one) for one in work]]
    _readings_table(results)
    for result in results:
        for error in result.errors:
            typer.echo(f"{result.file}: {error}", err=True)
    if any(result.errors for result in results):
        raise typer.Exit(1)


def _readings_table(results: list[ReadingsReplay]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("file", box=None)
    for head in ("readings", "findings", "alerts", "emergencies"):
        table.add_column(head, justify="right")
    for r in results:
        if r.readings:
            table.add_row(r.file, *map(str, (r.readings, r.findings, r.alerts, r.emergencies)))
    Console().print(table)
