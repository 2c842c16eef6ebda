"""What is told of which score: one list, in the order of the table.

Pure. Each figure is a function of counts summed over recordings (gross), never a mean of percentages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from alerts.validation import ec57, strip_scoring
from alerts.validation.alarm_scoring import ARRESTS, LOST_WEIGHS
from alerts.validation.collection import Collection, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

Sums: TypeAlias = "Mapping[str, NDArray[np.float64]]"
"""Counts by name, each of shape (draws,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One figure as it is made of summed counts."""

    score: str
    name: str
    of: Callable[[Sums], NDArray[np.float64]]
    unit: str = "%"
    basis: str = ""
    """Names of counts to show, in the form of str.format."""
    events: str = ""
    """Name of the events of a rate: without one in all the hours the bound is Poisson's."""
    trials: tuple[str, ...] = ()
    """Names of the counts that add up to the trials, where each stands by itself (episodes, alarms; never beats)."""


def share(part: str, *rest: str) -> Callable[[Sums], NDArray[np.float64]]:
    """100 part / (part + rest)."""

    def of(sums: Sums) -> NDArray[np.float64]:
        return _divided(100 * _of(sums, part), sum((_of(sums, one) for one in rest), _of(sums, part)))

    return of


def part_of(part: str, whole: str) -> Callable[[Sums], NDArray[np.float64]]:
    """100 part / whole."""
    return lambda sums: _divided(100 * _of(sums, part), _of(sums, whole))


def per_day(events: str) -> Callable[[Sums], NDArray[np.float64]]:
    """Events in 24 hours."""
    return lambda sums: _divided(24 * _of(sums, events), _of(sums, "hours"))


def number(name: str) -> Callable[[Sums], NDArray[np.float64]]:
    """The count itself."""
    return lambda sums: _of(sums, name)


def of_class(group: str, what: str) -> Callable[[Sums], NDArray[np.float64]]:
    """Sensitivity or predictivity of a class of beats."""
    return lambda sums: share("tp", what)(ec57.class_counts(sums, group))


def challenge(prefix: str) -> Callable[[Sums], NDArray[np.float64]]:
    """The Challenge's score: a true alarm that is lost weighs five."""

    def of(sums: Sums) -> NDArray[np.float64]:
        tp, fn, fp, tn = (_of(sums, prefix + cell) for cell in ("tp", "fn", "fp", "tn"))
        return _divided(100 * (tp + tn), tp + tn + fp + LOST_WEIGHS * fn)

    return of


def healthy_called(group: str) -> Callable[[Sums], NDArray[np.float64]]:
    """Share of the normal beats that were called something else."""
    return lambda sums: _divided(
        100 * _of(sums, "N" + group), sum((_of(sums, "N" + c) for c in (*"SVFQ", ec57.NO_BEAT)), _of(sums, "NN"))
    )


QRS, CLASSES, AF, EPISODES, ARREST, STRIPS, CALM, ALARMS = (
    "Beats (QRS)",
    "Classes of beats",
    "Atrial fibrillation",
    "VF and VT",
    "Arrest alarms (Challenge 2015)",
    "Hand-held strips (Challenge 2017)",
    "False emergencies",
    "Alarms of a patient-day",
)
_BEATS = "{tp:.0f} found, {fn:.0f} missed, {fp:.0f} made up"
_AF = "{tp:.0f} AF beats found, {fn:.0f} missed, {fp:.0f} false"

KINDS: dict[str, tuple[Kind, ...]] = {
    QRS: (
        Kind(score=Protocol.QRS, name="QRS Se", of=share("tp", "fn"), basis=_BEATS),
        Kind(score=Protocol.QRS, name="QRS +P", of=share("tp", "fp"), basis=_BEATS),
        Kind(
            score=Protocol.QRS,
            name="QRS DER",
            of=lambda s: _divided(100 * (_of(s, "fn") + _of(s, "fp")), _of(s, "tp") + _of(s, "fn")),
            basis=_BEATS,
        ),
        Kind(
            score=Protocol.QRS,
            name="QRS F1 at 50 ms",
            of=lambda s: _divided(200 * _of(s, "tp50"), 2 * _of(s, "tp50") + _of(s, "fn50") + _of(s, "fp50")),
        ),
        Kind(score=Protocol.QRS, name="10-s windows without error", of=part_of("clean", "windows")),
    ),
    CLASSES: (
        Kind(score=Protocol.CLASSES, name="V Se", of=of_class("V", "fn")),
        Kind(score=Protocol.CLASSES, name="V +P", of=of_class("V", "fp")),
        Kind(score=Protocol.CLASSES, name="S Se", of=of_class("S", "fn")),
        Kind(score=Protocol.CLASSES, name="S +P", of=of_class("S", "fp")),
        Kind(score=Protocol.CLASSES, name="normal beats called S", of=healthy_called("S"), basis="{NS:.0f} beats"),
        Kind(score=Protocol.CLASSES, name="normal beats called V", of=healthy_called("V"), basis="{NV:.0f} beats"),
    ),
    AF: (
        Kind(score=Protocol.AF, name="AF Se", of=share("tp", "fn"), basis=_AF),
        Kind(score=Protocol.AF, name="AF Sp", of=share("tn", "fp"), basis=_AF),
        Kind(score=Protocol.AF, name="AF PPV", of=share("tp", "fp"), basis=_AF),
        Kind(
            score=Protocol.AF,
            name="AF F1",
            of=lambda s: _divided(200 * _of(s, "tp"), 2 * _of(s, "tp") + _of(s, "fn") + _of(s, "fp")),
            basis=_AF,
        ),
        Kind(
            score="af_or_flutter",
            name="AF or flutter F1",
            of=lambda s: _divided(200 * _of(s, "tp"), 2 * _of(s, "tp") + _of(s, "fn") + _of(s, "fp")),
            basis=_AF,
        ),
        Kind(score="af_or_flutter", name="AF or flutter PPV", of=share("tp", "fp"), basis=_AF),
        Kind(score=Protocol.AF, name="AF duration Se", of=part_of("both_s", "theirs_s")),
        Kind(score=Protocol.AF, name="AF duration +P", of=part_of("both_s", "ours_s")),
        Kind(
            score=Protocol.AF,
            name="AF episodes ≥ 30 s found",
            of=part_of("found", "episodes"),
            basis="{found:.0f} of {episodes:.0f}",
            trials=("episodes",),
        ),
        Kind(
            score=Protocol.AF,
            name="AF episodes ≥ 30 s true",
            of=part_of("true", "said"),
            basis="{true:.0f} of {said:.0f}",
            trials=("said",),
        ),
    ),
    EPISODES: (
        Kind(
            score=Protocol.EPISODES,
            name="VF found",
            of=part_of("VF_found", "VF"),
            basis="{VF_found:.0f} of {VF:.0f}",
            trials=("VF",),
        ),
        Kind(
            score=Protocol.EPISODES,
            name="VT found",
            of=part_of("VT_found", "VT"),
            basis="{VT_found:.0f} of {VT:.0f}",
            trials=("VT",),
        ),
        Kind(
            score=Protocol.EPISODES,
            name="VF, VT within 7 s",
            of=lambda s: _divided(100 * (_of(s, "VF_in_time") + _of(s, "VT_in_time")), _of(s, "VF") + _of(s, "VT")),
            basis="VF {VF_in_time:.0f} of {VF:.0f}, VT {VT_in_time:.0f} of {VT:.0f}",
            trials=("VF", "VT"),
        ),
        Kind(
            score=Protocol.EPISODES,
            name="VF, VT false",
            of=lambda s: _divided(_of(s, "false"), _of(s, "hours")),
            unit="an hour",
            events="false",
            basis="{false:.0f} in {hours:.1f} h; in NOISE {in_noise:.0f}; VT of CUDB, not annotated: {unjudged:.0f}",
        ),
        Kind(
            score=Protocol.CALM,
            name="VF, VT where there is none",
            of=number("arrhythmia"),
            unit="findings",
            basis="in {hours:.1f} h",
            events="arrhythmia",
        ),
    ),
    ARREST: (
        Kind(score=Protocol.ARREST, name="arrest score", of=challenge(""), unit=""),
        Kind(
            score=Protocol.ARREST,
            name="true alarms confirmed",
            of=share("tp", "fn"),
            basis="{tp:.0f}, lost {fn:.0f}",
            trials=("tp", "fn"),
        ),
        Kind(
            score=Protocol.ARREST,
            name="false alarms refused",
            of=share("tn", "fp"),
            basis="{tn:.0f}, kept {fp:.0f}",
            trials=("tn", "fp"),
        ),
        Kind(
            score=Protocol.ARREST,
            name="true asystole, VF, extreme rate lost",
            of=number("spared_lost"),
            unit="alarms",
            events="spared_lost",
        ),
        *(
            Kind(
                score=Protocol.ARREST,
                name=f"{kind.replace('_', ' ').lower()}, score",
                of=challenge(f"{kind}_"),
                unit="",
                basis=f"true {{{kind}_tp:.0f}} kept, {{{kind}_fn:.0f}} lost; "
                f"false {{{kind}_tn:.0f}} refused, {{{kind}_fp:.0f}} kept",
            )
            for kind in ARRESTS
        ),
    ),
    STRIPS: (
        Kind(score=Protocol.STRIPS, name="strips F1", of=strip_scoring.mean_f1),
        *(
            Kind(
                score=Protocol.STRIPS,
                name=f"strips F1 of {group}",
                of=lambda s, group=group: strip_scoring.f1(s, group),  # type: ignore[misc]
            )
            for group in strip_scoring.CLASSES
        ),
        Kind(
            score=Protocol.STRIPS,
            name="strips F1, classes as in 2017",
            of=lambda s: strip_scoring.mean_f1(s, as_published=True),
        ),
    ),
    CALM: (
        Kind(
            score=Protocol.CALM,
            name="false emergencies",
            of=per_day("false"),
            unit="a day",
            events="false",
            basis="{false:.0f} in {hours:.1f} h",
        ),
    ),
    ALARMS: (
        *(
            Kind(
                score=Protocol.ALARMS,
                name=f"{tier} alarms",
                of=per_day(tier),
                unit="a day",
                events=tier,
                basis=f"{{{tier}:.0f}} in {{hours:.1f}} h",
            )
            for tier in ("EMERGENCY", "DOCTOR", "TIP", "TECHNICAL")
        ),
        Kind(
            score=Protocol.ALARMS,
            name="time that cannot be judged",
            of=part_of("unjudged", "hours"),
            basis="{unjudged:.2f} of {hours:.1f} h",
        ),
    ),
}
"""What is told, by section, in order."""
TOGETHER: dict[str, frozenset[Collection] | None] = {
    QRS: frozenset(),
    CLASSES: frozenset(),
    AF: None,
    EPISODES: None,
    CALM: frozenset({Collection.NSRDB, Collection.MITDB}),
    ALARMS: frozenset(),
    ARREST: frozenset(),
    STRIPS: frozenset(),
}
"""Of which collections a section also has a line for all together; None: of all that have the score."""


def _of(sums: Sums, name: str) -> NDArray[np.float64]:
    some = next(iter(sums.values()))
    return np.asarray(sums.get(name, np.zeros_like(some)), float)


def _divided(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole != 0))
