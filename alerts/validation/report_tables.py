"""Tables of the report: figures, peers, recordings, robustness. Pure; text is escaped, numbers are aligned."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from alerts.validation.figures import OURS
from alerts.validation.kinds import KINDS, QRS
from alerts.validation.table import PEER_COLUMNS, count, interval, speed, told
from alerts.validation.targets import Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from alerts.validation.examine import Examined
    from alerts.validation.figures import Figure
    from alerts.validation.robustness import Strained

_SHAPES = {
    Standing.MET: ("met", "✓ met"),
    Standing.UNPROVEN: ("unproven", "○ met, not proven"),
    Standing.MISSED: ("missed", "▲ not met"),
}
"""A standing is shape, word and colour."""


def figure_table(figures: Sequence[Figure]) -> str:
    """Figures with interval, target and standing; on a phone each is a small card."""
    has_target = any(one.target is not None for one in figures)
    heads = [("figure", ""), ("where", ""), ("value", "number"), ("95 % interval", "number")]
    heads += [("target", "number"), ("", "")] if has_target else []
    heads += [("of", "")]
    rows = []
    for one in figures:
        shape = _SHAPES.get(one.standing)
        standing = f'<span class="standing {shape[0]}">{escape(shape[1])}</span>' if shape else ""
        target = "" if one.target is None else str(one.target)
        about = f'<td class="number target">{escape(target)}</td><td class="standing-cell">{standing}</td>'
        rows.append(
            f'<tr><th scope="row">{escape(one.name)}</th><td class="where">{escape(one.where)}</td>'
            f'<td class="number value">{escape(told(one))}</td><td class="number interval">{escape(interval(one))}</td>'
            f"{about if has_target else ''}"
            f'<td class="basis">{escape(one.basis or _recordings(one.records))}</td></tr>'
        )
    return _table(heads, rows, "figures", "Figures")


def peer_table(figures: Sequence[Figure], examined: Sequence[Examined], absent: Sequence[str]) -> str:
    """Beats beside other people's detectors."""
    peers = list(dict.fromkeys(one.who for one in figures if one.section == QRS and one.who != OURS))
    missing = f'<p class="second">Not installed, left out: {escape(", ".join(absent))}.</p>' if absent else ""
    if not peers:
        return missing
    rows = []
    for where in dict.fromkeys(one.where for one in figures if one.section == QRS):
        for who in (OURS, *peers):
            mine = {one.name: one for one in figures if (one.section, one.where, one.who) == (QRS, where, who)}
            cells = "".join(
                f'<td class="number">{escape(told(mine[name]))} <span class="second">({escape(interval(mine[name]))})</span></td>'
                if name in mine
                else "<td></td>"
                for name in PEER_COLUMNS
            )
            name = f"<strong>{escape(who)}</strong>" if who == OURS else escape(who)
            rows.append(
                f'<tr><td>{escape(where)}</td><th scope="row">{name}</th>{cells}'
                f'<td class="number">{speed(examined, where, who):,.0f}</td></tr>'
            )
    heads = [("where", ""), ("detector", ""), *((name, "number") for name in PEER_COLUMNS), ("x real time", "number")]
    return (
        "<h3>Beside others, same leads, same run</h3>"
        '<p class="second">The others see the whole recording at once; ours decides as it comes, and its speed is that of '
        f"the whole way to the alert.</p>{_table(heads, rows, '', 'Beats beside others')}{missing}"
    )


def record_tables(section: str, examined: Sequence[Examined]) -> Iterable[str]:
    """What was counted on each recording, folded away."""
    for score in dict.fromkeys(str(kind.score) for kind in KINDS[section]):
        rows = [(one, one.counts[score]) for one in examined if score in one.counts]
        names = sorted({name for _, counts in rows for name in counts})
        if not rows:
            continue
        body = [
            f'<tr><th scope="row">{escape(one.task.source)}/{escape(one.record)}</th>'
            + "".join(f'<td class="number">{count(counts, name)}</td>' for name in names)
            + f"<td>{escape(one.answer)}</td></tr>"
            for one, counts in rows
        ]
        heads = [("recording", ""), *((name, "number") for name in names), ("", "")]
        yield details(f"Recording by recording: {score} ({len(rows)})", _table(heads, body, "", f"Counts of {score}"))


def robustness_table(strained: Sequence[Strained]) -> str:
    """What is lost when the signal is made worse."""
    names = list(dict.fromkeys(name for one in strained for name in one.told()))
    rows = [
        f'<tr><th scope="row">{escape(one.name)}</th>'
        + "".join(f'<td class="number">{_short(one.told().get(name, math.nan))}</td>' for name in names)
        + "</tr>"
        for one in strained
    ]
    return _table([("signal", ""), *((name, "number") for name in names)], rows, "", "Robustness")


def details(title: str, inner: str) -> str:
    """Folded away until asked for."""
    return f"<details><summary>{escape(title)}</summary>{inner}</details>"


def _table(heads: Sequence[tuple[str, str]], rows: Sequence[str], kind: str, name: str) -> str:
    head = "".join(f'<th scope="col" class="{css}">{escape(text)}</th>' for text, css in heads)
    return (
        f'<div class="card"><div class="scroll" tabindex="0" role="region" aria-label="{escape(name)}">'
        f'<table class="{kind}"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div></div>'
    )


def _recordings(number: int) -> str:
    return f"{number} recording{'' if number == 1 else 's'}"


def _short(value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:.0f}" if value == round(value) else f"{value:.2f}"
