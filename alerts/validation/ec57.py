"""Beats and their classes against the annotators', by the rules of ANSI/AAMI EC57.

Pairs within 150 ms one to one, the first five minutes learned from and not scored, fibrillation between brackets left
out. Pure; must never let one beat found stand for two that were there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from alerts.validation.bootstrap import Counts
    from alerts.validation.reference import Annotations

WITHIN_S = 0.150
NARROW_S = 0.050
"""150 ms hide jitter: the count at 50 ms is told beside it."""
LEARNING_S = 300.0
WINDOW_S = 10.0
"""Alarms depend on errors close together: the share of such windows without an error is told too."""
FORGIVEN = {"V": "FQ", "S": "Q"}
"""Reference classes that may be called so without being counted as false: a fusion beat is partly ventricular."""
NO_BEAT = "-"
PACED = frozenset({"102", "104", "107", "217"})
"""Records of MIT-BIH that EC57 leaves out of beat classes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """Two lists of beats, one against the other; which of them count."""

    partner: NDArray[np.int64]
    """For each reference beat the index of the beat found, or -1."""
    reference_counts: NDArray[np.bool_]
    found_counts: NDArray[np.bool_]
    taken: NDArray[np.bool_]
    """Which of the beats found are somebody's partner."""

    @property
    def hit(self) -> NDArray[np.bool_]:
        """Reference beats that count and were found."""
        return self.reference_counts & (self.partner >= 0)

    @property
    def missed(self) -> NDArray[np.bool_]:
        """Reference beats that count and were not."""
        return self.reference_counts & (self.partner < 0)

    @property
    def extra(self) -> NDArray[np.bool_]:
        """Beats found that count and are none."""
        return self.found_counts & ~self.taken


def partners(reference: NDArray[np.int64], found: NDArray[np.int64], within: int) -> NDArray[np.int64]:
    """For each reference beat the index of its beat found, or -1; both ascending, in samples.

    As WFDB's `bxb`: of the two beats at hand the earlier is paired with the other, if that is near enough, unless the
    next of its own list is nearer still.
    """
    theirs, ours = reference.tolist(), found.tolist()
    partner = np.full(len(theirs), -1, np.int64)
    i = j = 0
    while i < len(theirs) and j < len(ours):
        apart = abs(theirs[i] - ours[j])
        ours_first = ours[j] <= theirs[i]
        early, late, k = (ours, theirs[i], j) if ours_first else (theirs, ours[j], i)
        is_nearer_next = k + 1 < len(early) and abs(early[k + 1] - late) < apart
        is_pair = apart <= within and not is_nearer_next
        if is_pair:
            partner[i] = j
        i += int(is_pair or not ours_first)
        j += int(is_pair or ours_first)
    return partner


def counts_at(samples: NDArray[np.int64], first: float, left_out: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
    """Which beats are scored: from `first` on, and outside of the stretches left out (their ends included)."""
    keep = samples >= first
    for start, stop in left_out:
        keep &= ~((samples >= start) & (samples <= stop))
    return np.asarray(keep)


def start_of_scoring(seconds: float) -> float:
    """Five minutes; a recording under ten is scored whole."""
    return LEARNING_S if seconds >= 2 * LEARNING_S else 0.0


def paired(
    reference: Annotations,
    found: NDArray[np.int64],
    within_s: float = WITHIN_S,
    left_out: Sequence[tuple[int, int]] | None = None,
) -> Pairing:
    """The beats found against those of the reference; `left_out` in samples, None: what is between brackets."""
    theirs, _ = reference.beats()
    partner = partners(theirs, found, round(within_s * reference.rate_hz))
    holes = reference.bracketed() if left_out is None else left_out
    first = start_of_scoring(reference.seconds) * reference.rate_hz
    taken = np.zeros(found.size, bool)
    taken[partner[partner >= 0]] = True
    return Pairing(
        partner=partner,
        reference_counts=counts_at(theirs, first, holes),
        found_counts=counts_at(found, first, holes),
        taken=taken,
    )


def beat_counts(
    reference: Annotations, found: NDArray[np.int64], left_out: Sequence[tuple[int, int]] | None = None
) -> Counts:
    """tp, fn, fp; the same at 50 ms; ten-second windows, and those without an error."""
    wide = paired(reference, found, left_out=left_out)
    narrow = paired(reference, found, NARROW_S, left_out)
    theirs, _ = reference.beats()
    errors = np.concatenate([theirs[wide.missed], found[wide.extra]]) / reference.rate_hz
    start = start_of_scoring(reference.seconds)
    windows = int((reference.seconds - start) // WINDOW_S)
    spoilt = np.unique((errors - start) // WINDOW_S)
    return {
        "tp": float(wide.hit.sum()),
        "fn": float(wide.missed.sum()),
        "fp": float(wide.extra.sum()),
        "tp50": float(narrow.hit.sum()),
        "fn50": float(narrow.missed.sum()),
        "fp50": float(narrow.extra.sum()),
        "windows": float(windows),
        "clean": float(windows - ((spoilt >= 0) & (spoilt < windows)).sum()),
    }


def offsets(reference: Annotations, found: NDArray[np.int64]) -> NDArray[np.float64]:
    """Seconds from the annotated peak to ours, of the beats that were found."""
    pairs = paired(reference, found)
    theirs, _ = reference.beats()
    return np.asarray((found[pairs.partner[pairs.hit]] - theirs[pairs.hit]) / reference.rate_hz)


def class_pairs(
    reference: Annotations,
    found: NDArray[np.int64],
    classes: NDArray[np.str_],
    left_out: Sequence[tuple[int, int]] | None = None,
) -> Counts:
    """How often a beat of one class was called another: key `NV` is a normal one called ventricular, `-` is no beat."""
    pairs = paired(reference, found, left_out=left_out)
    _, theirs = reference.beats()
    called = np.where(pairs.partner >= 0, classes[pairs.partner] if found.size else NO_BEAT, NO_BEAT)
    keys = [f"{a}{b}" for a, b in zip(theirs[pairs.reference_counts], called[pairs.reference_counts], strict=True)]
    keys += [f"{NO_BEAT}{b}" for b in classes[pairs.extra]]
    names, numbers = np.unique(np.array(keys, dtype="U2"), return_counts=True)
    return dict(zip(names.tolist(), numbers.astype(float).tolist(), strict=True))


def class_counts(table: Mapping[str, NDArray[np.float64]], group: str) -> dict[str, NDArray[np.float64]]:
    """tp, fn, fp of one class from `class_pairs` (sums): beats missed count as missed, those made up as false."""
    none = np.zeros_like(next(iter(table.values())))
    own = group + FORGIVEN[group]
    return {
        "tp": table.get(group * 2, none),
        "fn": sum((n for key, n in table.items() if key[0] == group and key[1] != group), none),
        "fp": sum((n for key, n in table.items() if key[1] == group and key[0] not in own), none),
    }
