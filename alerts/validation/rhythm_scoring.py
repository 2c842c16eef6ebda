"""Atrial fibrillation against the annotators': by beats, by duration, by episodes of half a minute (AAMI EC57).

Two ways to count: strictly, where flutter of the reference is left out and only AF of ours counts; and flutter taken
as AF on both sides. Pure; the whole recording counts, as Zhou (2015) and most who publish do it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts.validation.spans import common_to, inside, length, merged, without

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alerts.validation.bootstrap import Counts
    from alerts.validation.judgement import Judgement
    from alerts.validation.reference import Annotations
    from alerts.validation.spans import Span

EPISODE_S = 30.0
_ROUNDING_S = 1e-9
FIBRILLATION, FLUTTER = "AFIB", "AFL"


def fibrillation_counts(reference: Annotations, said: Judgement) -> Counts:
    """The strict count: beats and time that the reference calls flutter are left out."""
    return _counts(
        reference,
        reference.in_rhythm(FIBRILLATION),
        said.in_rhythm(FIBRILLATION),
        reference.in_rhythm(FLUTTER),
    )


def either_counts(reference: Annotations, said: Judgement) -> Counts:
    """Fibrillation or flutter, the two taken as one."""
    return _counts(reference, reference.in_rhythm(FIBRILLATION, FLUTTER), said.in_rhythm(FIBRILLATION, FLUTTER), [])


def _counts(reference: Annotations, theirs: list[Span], ours: list[Span], left_out: list[Span]) -> Counts:
    """In beats tp fn fp tn; seconds of both, theirs, ours; episodes of theirs and ours: in all and met by the other."""
    whole = [(0.0, reference.seconds)]
    times = reference.beats()[0] / reference.rate_hz
    times = times[inside(times, without(whole, left_out))]
    is_theirs, is_ours = inside(times, theirs), inside(times, ours)
    scored = without(whole, left_out)
    found, existing = _met(common_to(theirs, whole), ours, [])
    true, said = _met(common_to(ours, whole), theirs, left_out)
    return {
        "tp": float((is_theirs & is_ours).sum()),
        "fn": float((is_theirs & ~is_ours).sum()),
        "fp": float((~is_theirs & is_ours).sum()),
        "tn": float((~is_theirs & ~is_ours).sum()),
        "both_s": length(common_to(common_to(theirs, ours), scored)),
        "theirs_s": length(common_to(theirs, scored)),
        "ours_s": length(common_to(ours, scored)),
        "found": found,
        "episodes": existing,
        "true": true,
        "said": said,
    }


def _met(spans: Sequence[Span], others: list[Span], left_out: list[Span]) -> tuple[float, float]:
    """Of the episodes of half a minute how many the other side meets at all, and how many there are."""
    long = [one for one in spans if one[1] - one[0] >= EPISODE_S - _ROUNDING_S and without([one], left_out)]
    return float(sum(1 for one in long if common_to([one], others))), float(len(long))


def wrong(reference: Annotations, said: Judgement) -> list[tuple[float, float, str]]:
    """(start, end, what) wherever the two differ, flutter left out; for the pictures."""
    theirs, ours = reference.in_rhythm(FIBRILLATION), said.in_rhythm(FIBRILLATION)
    either = merged([*theirs, *reference.in_rhythm(FLUTTER)])
    return [(a, b, "missed") for a, b in without(theirs, ours)] + [(a, b, "false") for a, b in without(ours, either)]
