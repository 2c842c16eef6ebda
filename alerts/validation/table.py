"""The figures on the terminal: aligned tables, one section after the other. Shows what was counted, computes nothing new."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from alerts.validation.figures import OURS
from alerts.validation.kinds import KINDS, QRS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alerts.validation.bootstrap import Counts
    from alerts.validation.examine import Examined
    from alerts.validation.figures import Figure
    from alerts.validation.robustness import Strained

WIDE = 150
PEER_COLUMNS = ("QRS Se", "QRS +P", "QRS DER", "QRS F1 at 50 ms")


def _console() -> Console:
    # Piped, a line must come out whole, whatever width the shell had.
    return Console(width=None if sys.stdout.isatty() else WIDE, highlight=False)


def print_figures(figures: Sequence[Figure]) -> None:
    """Every figure of ours, with interval, target and standing."""
    out = _console()
    for section in KINDS:
        lines = [one for one in figures if one.section == section and one.who == OURS]
        if not lines:
            continue
        table = Table(
            "figure", "where", box=None, title=section, title_justify="left", title_style="bold", pad_edge=False
        )
        for head in ("value", "95 % interval", "target"):
            table.add_column(head, justify="right")
        for head in ("", "of"):
            table.add_column(head)
        for one in lines:
            table.add_row(
                one.name, one.where, told(one), interval(one), "" if one.target is None else str(one.target),
                str(one.standing), f"{one.basis or f'{one.records} recordings'}",
            )  # fmt: skip
        out.print(table)
        out.print()


def print_peers(figures: Sequence[Figure], examined: Sequence[Examined], absent: Sequence[str]) -> None:
    """Beats beside other people's detectors on the same leads."""
    peers = [one for one in figures if one.section == QRS and one.who != OURS]
    out = _console()
    if absent:
        out.print(f"not installed, left out: {', '.join(absent)}")
    if not peers:
        return
    table = Table("where", "detector", box=None, title="Beats beside others", title_justify="left", title_style="bold")
    for head in (*PEER_COLUMNS, "x real time"):
        table.add_column(head, justify="right")
    for where in dict.fromkeys(one.where for one in peers):
        for who in (OURS, *dict.fromkeys(one.who for one in peers)):
            mine = {one.name: one for one in figures if (one.section, one.where, one.who) == (QRS, where, who)}
            cells = [f"{told(mine[name])} ({interval(mine[name])})" if name in mine else "" for name in PEER_COLUMNS]
            table.add_row(where, who, *cells, f"{speed(examined, where, who):,.0f}")
    out.print(table)
    out.print()


def print_robustness(lines: Sequence[Strained]) -> None:
    """What is lost when the signal is made worse."""
    if not lines:
        return
    names = list(dict.fromkeys(name for one in lines for name in one.told()))
    table = Table("signal", box=None, title="Robustness", title_justify="left", title_style="bold")
    for name in names:
        table.add_column(name, justify="right")
    for one in lines:
        told_ = one.told()
        table.add_row(one.name, *(count(told_, name) for name in names))
    out = _console()
    out.print(table)
    out.print()


def print_records(examined: Sequence[Examined]) -> None:
    """A line for each recording, by what was scored."""
    out = _console()
    for score in dict.fromkeys(key for one in examined for key in one.counts):
        rows = [(one, one.counts[score]) for one in examined if score in one.counts]
        names = sorted({name for _, counts in rows for name in counts})
        table = Table("recording", box=None, title=score, title_justify="left", title_style="bold")
        for name in names:
            table.add_column(name, justify="right")
        for one, counts in rows:
            table.add_row(f"{one.task.source}/{one.record}", *(count(counts, name) for name in names))
        out.print(table)
        out.print()


def print_failures(examined: Sequence[Examined]) -> None:
    """Which recordings could not be read, and which gave no hours."""
    for one in examined:
        if one.error or one.remark:
            sys.stderr.write(f"{one.task.source}/{one.record}: {one.error or one.remark}\n")
    asleep = [f"{one.task.source}/{one.record}" for one in examined if one.counts.get("calm", {}).get("asleep")]
    if asleep:
        sys.stdout.write(f"hardly a beat found, so their silence counts for nothing: {', '.join(asleep)}\n")


def speed(examined: Sequence[Examined], where: str, who: str) -> float:
    """Times real time, one core; ours is the whole way, not the beats alone."""
    group = [one for one in examined if one.task.source == where.removesuffix(" DS1").removesuffix(" DS2")]
    if who == OURS:
        seconds, took = sum(one.seconds for one in group), sum(one.cpu_s for one in group)
    else:
        counts = [one.counts[f"qrs:{who}"] for one in group if f"qrs:{who}" in one.counts]
        seconds, took = sum(c["seconds"] for c in counts), sum(c["cpu_s"] for c in counts)
    return seconds / took if took else math.nan


def told(figure: Figure) -> str:
    """The value with its unit; as many places as its kind deserves."""
    if figure.unit in {"findings", "alarms"}:
        return f"{figure.value:.0f} {figure.unit.removesuffix('s') if figure.value == 1 else figure.unit}"
    return f"{figure.value:.{places(figure)}f}{' ' if figure.unit else ''}{figure.unit}"


def interval(figure: Figure) -> str:
    """Low to high; a dash where one recording says nothing of others."""
    if math.isnan(figure.low):
        return "-"
    if figure.low == 0 and figure.value == 0 and figure.high > 0:
        return f"< {figure.high:.{places(figure)}f}"
    return f"{figure.low:.{places(figure)}f} to {figure.high:.{places(figure)}f}"


def places(figure: Figure) -> int:
    """Digits after the point."""
    return 3 if figure.unit == "s" or "DER" in figure.name else 2


def count(counts: Counts, name: str) -> str:
    """A count as it is shown."""
    value = counts.get(name, 0.0)
    return f"{value:.0f}" if value == round(value) else f"{value:.2f}"
