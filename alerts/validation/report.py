"""The report as one HTML file: nothing from outside, light and dark, on a desk and on a phone, on paper.

It says first what the product reached beside its targets, then section by section how, then how it was measured. Must
never look like a certificate: the first thing on it is that this is research software and no cleared device.
"""

from __future__ import annotations

import base64
import hashlib
import math
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from alerts.validation import strip_picture
from alerts.validation.figures import OURS
from alerts.validation.kinds import KINDS, QRS
from alerts.validation.physionet import COLLECTIONS
from alerts.validation.report_tables import details, figure_table, peer_table, record_tables, robustness_table
from alerts.validation.statements import DEVELOPED_ON, METHOD, NOT_CLEARED
from alerts.validation.targets import Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from alerts.validation.collection import Source
    from alerts.validation.results import Results


def report(results: Results, pictures: Mapping[str, Sequence[str]]) -> str:
    """The whole page. `pictures` holds, by section, the figures with strips."""
    style = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Tierwatch validation</title><style>{style}</style></head><body>"
        f"{strip_picture.DEFINITIONS}{_header(results)}<main>"
        + "".join(_parts(results, pictures))
        + f"</main><footer><p>Made by tierwatch {escape(results.version)} on "
        f"{results.made_at:%Y-%m-%d %H:%M} UTC in {results.took_s:.0f} s.</p></footer></body></html>\n"
    )


def _header(results: Results) -> str:
    hours = sum(one.seconds for one in results.examined) / 3600
    failed = sum(1 for one in results.examined if one.error)
    with_target = [one for one in results.figures if one.target is not None]
    number = {standing: sum(1 for one in with_target if one.standing is standing) for standing in Standing}
    told = (
        f"{len(results.examined)} recordings, {hours:.1f} hours, from {len(results.sources)} "
        f"collection{'' if len(results.sources) == 1 else 's'}. Of {len(with_target)} figures with a target "
        f"{number[Standing.MET]} met it, {number[Standing.UNPROVEN]} met it without proof, {number[Standing.MISSED]} did not."
    )
    left_out = f" {failed} recordings could not be read." if failed else ""
    sections = [name for name in KINDS if any(one.section == name for one in results.figures)]
    links = [*(("Targets", "targets"),), *((name, _anchor(name)) for name in sections)]
    links += [("Robustness", "robustness")] * bool(results.strained) + [("Method", "method"), ("Data", "data")]
    items = "".join(f'<li><a href="#{anchor}">{escape(name)}</a></li>' for name, anchor in links)
    return (
        f'<header><h1>Tierwatch validation</h1><p class="cleared"><strong>{escape(NOT_CLEARED)}</strong></p>'
        f"<p>{escape(told + left_out)}</p>"
        f'<nav aria-label="Sections"><ul>{items}</ul></nav></header>'
    )


def _parts(results: Results, pictures: Mapping[str, Sequence[str]]) -> Iterable[str]:
    with_target = [one for one in results.figures if one.target is not None]
    yield f'<section id="targets"><h2>Beside the targets</h2><p>{escape(DEVELOPED_ON)}</p>'
    yield figure_table(with_target) if with_target else "<p>None of these figures has a target.</p>"
    yield "</section>"
    for section in KINDS:
        figures = [one for one in results.figures if one.section == section and one.who == OURS]
        if not figures:
            continue
        yield f'<section id="{_anchor(section)}"><h2>{escape(section)}</h2>{figure_table(figures)}'
        if section == QRS:
            yield peer_table(results.figures, results.examined, results.absent)
        yield from record_tables(section, results.examined)
        if pictures.get(section):
            yield '<h3>The worst of it</h3><p class="second">25 mm/s, 10 mm/mV. Above the paper the beats of the '
            yield "annotators (ref) and ours; below it rhythms, theirs over ours. What is wrong is shaded.</p>"
            yield f'<div class="pictures">{"".join(pictures[section])}</div>'
        yield "</section>"
    if results.strained:
        yield f'<section id="robustness"><h2>Robustness</h2>{robustness_table(results.strained)}</section>'
    yield '<section id="method"><h2>How it was measured</h2>' + "".join(f"<p>{escape(one)}</p>" for one in METHOD)
    yield "</section>"
    yield f'<section id="data"><h2>Data</h2>{_data(results)}</section>'


def _data(results: Results) -> str:
    rows = "".join(_source(one, results) for one in results.sources)
    failures = [f"{one.task.source}/{one.record}: {one.error or one.remark}" for one in results.examined]
    failures = [line for line, one in zip(failures, results.examined, strict=True) if one.error or one.remark]
    left_out = details("Left out", "".join(f"<p>{escape(line)}</p>" for line in failures)) if failures else ""
    return (
        '<p>None of these recordings is part of Tierwatch; all belong to those who made them.</p><div class="card">'
        '<div class="scroll" tabindex="0" role="region" aria-label="Collections"><table><thead><tr>'
        '<th scope="col">folder</th><th scope="col">collection</th><th scope="col" class="number">recordings</th>'
        '<th scope="col" class="number">hours</th><th scope="col">licence</th><th scope="col">cite</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div></div>{left_out}"
    )


def _source(one: Source, results: Results) -> str:
    hours = math.fsum(e.seconds for e in results.examined if e.task.source == one.name) / 3600
    known = COLLECTIONS.get(str(one.collection))
    title, licence, cite = (known.title, known.licence, known.cite) if known else ("your own", "", "")
    return (
        f'<tr><th scope="row">{escape(one.name)}</th><td>{escape(title)}</td><td class="number">{len(one.records)}</td>'
        f'<td class="number">{hours:.1f}</td><td>{escape(licence)}</td><td>{escape(cite)}</td></tr>'
    )


def _anchor(section: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in section.lower()).strip("-")
