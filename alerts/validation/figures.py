"""From counts of recordings to the table: each figure with its 95 % interval, its target and how it stands.

Pure. A figure of a collection is made of the sums of its recordings; its interval comes from drawing recordings again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from alerts.validation import bootstrap
from alerts.validation.collection import DS1, DS2, Collection
from alerts.validation.kinds import EPISODES, KINDS, QRS, TOGETHER, Kind
from alerts.validation.targets import Standing, Target, target_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alerts.validation.bootstrap import Counts
    from alerts.validation.examine import Examined

OURS = "tierwatch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table."""

    section: str
    name: str
    where: str
    who: str
    value: float
    low: float
    high: float
    unit: str
    records: int
    basis: str
    """The counts that it was made of, in words."""
    target: Target | None = None
    standing: Standing = Standing.NONE


def figures_of(examined: Sequence[Examined]) -> list[Figure]:
    """Every figure of every collection examined, section by section."""
    found: list[Figure] = []
    groups: dict[str, list[Examined]] = {}
    for one in examined:
        groups.setdefault(one.task.source, []).append(one)
    for section, kinds in KINDS.items():
        having = {
            name: group
            for name, group in groups.items()
            if any(kind.score in e.counts for kind in kinds for e in group)
        }
        for name, group in having.items():
            for part, members in _parts(name, group):
                found += _section(section, kinds, part, members, group[0].task.collection)
        limit = TOGETHER[section]
        among = [g for g in having.values() if limit is None or g[0].task.collection in limit]
        if len(among) > 1:
            every = [one for group in among for one in group]
            name = "all" if limit is None else " + ".join(group[0].task.source for group in among)
            found += _section(section, kinds, name, every, None)
    return found


def _parts(name: str, group: list[Examined]) -> list[tuple[str, list[Examined]]]:
    """A collection whole; MIT-BIH, where both halves are there, also by half, as the detector was developed on the first."""
    parts = [(name, group)]
    if group[0].task.collection is Collection.MITDB:
        halves = [(half, [one for one in group if one.record in names]) for half, names in (("DS1", DS1), ("DS2", DS2))]
        if all(members for _, members in halves):
            parts += [(f"{name} {half}", members) for half, members in halves]
    return parts


def _section(
    section: str, kinds: Sequence[Kind], where: str, group: Sequence[Examined], collection: Collection | None
) -> list[Figure]:
    lines: list[Figure] = []
    for kind in kinds:
        counts = [one.counts[kind.score] for one in group if kind.score in one.counts]
        if counts:
            lines.append(_line(section, kind, where, counts, OURS, collection))
    if section == QRS:
        lines += [*_told_after(where, group, collection), *_peers(kinds, where, group)]
    if section == EPISODES:
        lines += _delays(where, group, collection)
    return [line for line in lines if not math.isnan(line.value)]


def _line(
    section: str, kind: Kind, where: str, counts: Sequence[Counts], who: str, collection: Collection | None
) -> Figure:
    total = bootstrap.summed(counts)
    value = float(kind.of({name: np.array([n]) for name, n in total.items()})[0])
    low, high = bootstrap.interval(counts, kind.of)
    if kind.events and value == 0:
        low, high = 0.0, bootstrap.rate_bound(0) * _per(kind.unit, total.get("hours", 0.0))
    trials = sum(total.get(name, 0.0) for name in kind.trials)
    if trials and value in {0.0, 100.0}:
        low, high = bootstrap.share_bounds(trials * value / 100, trials)
    target = target_of(kind.name, collection) if who == OURS else None
    return Figure(
        section=section,
        name=kind.name,
        where=where,
        who=who,
        value=value,
        low=low,
        high=high,
        unit=kind.unit,
        records=len(counts),
        basis=kind.basis.format_map(_Zeros(total)),
        target=target,
        standing=Standing.NONE if target is None else target.standing(value, low, high),
    )


def _per(unit: str, hours: float) -> float:
    """What a count in so many hours has to be multiplied with; a plain count stays one."""
    part = {"a day": 24.0, "an hour": 1.0}.get(unit)
    return 1.0 if part is None else part / hours


def _peers(kinds: Sequence[Kind], where: str, group: Sequence[Examined]) -> list[Figure]:
    names = list(dict.fromkeys(key for one in group for key in one.counts if key.startswith("qrs:")))
    return [
        _line(QRS, kind, where, [one.counts[key] for one in group if key in one.counts], key.partition(":")[2], None)
        for key in names
        for kind in kinds
    ]


def _told_after(where: str, group: Sequence[Examined], collection: Collection | None) -> list[Figure]:
    waited = [one.values["waited"] for one in group if "waited" in one.values]
    return [_quantile(QRS, f"beat told after, p{percent}", where, waited, percent, collection) for percent in (50, 95)]


def _delays(where: str, group: Sequence[Examined], collection: Collection | None) -> list[Figure]:
    delays = [one.values["delay"] for one in group if "delay" in one.values]
    return [
        _quantile(EPISODES, name, where, delays, percent, collection)
        for name, percent in (("delay, median", 50), ("delay, p95", 95))
    ]


def _quantile(
    section: str, name: str, where: str, values: Sequence[Sequence[float]], percent: int, collection: Collection | None
) -> Figure:
    every = [value for one in values for value in one]
    value = float(np.percentile(every, percent)) if every else math.nan
    low, high = bootstrap.interval_of_quantile(values, percent)
    target = target_of(name, collection)
    return Figure(
        section=section,
        name=name,
        where=where,
        who=OURS,
        value=value,
        low=low,
        high=high,
        unit="s",
        records=len(values),
        basis="",
        target=target,
        standing=Standing.NONE if target is None else target.standing(value, low, high),
    )


class _Zeros(dict[str, float]):
    """Counts; what was never counted is none."""

    def __missing__(self, key: str) -> float:
        return 0.0
