"""AF: beats, seconds and episodes by hand, and flutter on neither side."""

from __future__ import annotations

from alerts.validation.rhythm_scoring import either_counts, fibrillation_counts, wrong
from tests.alerts.validation.annotated import reference, said

BEATS = [(second + 0.5, "N") for second in range(600)]
NOTES = reference(
    [
        *BEATS,
        (0, "+", "(N"),
        (100, "+", "(AFIB"),
        (200, "+", "(AFL"),
        (240, "+", "(N"),
        (400, "+", "(AFIB"),
        (420, "+", "(N"),
    ],
    seconds=600,
)
OURS = said(rhythms=[(0, 150, "N"), (150, 260, "AFIB"), (260, 600, "N")], seconds=600)


def test_strictly_flutter_is_left_out():
    counts = fibrillation_counts(NOTES, OURS)
    # AF 100-200 and 400-420, flutter 200-240 left out, ours 150-260: 50 right, 70 missed, 20 false, 420 rightly not.
    assert (counts["tp"], counts["fn"], counts["fp"], counts["tn"]) == (50, 70, 20, 420)
    assert (counts["both_s"], counts["theirs_s"], counts["ours_s"]) == (50, 120, 70)
    assert (counts["found"], counts["episodes"]) == (1, 1)  # that of 20 s is too short to count
    assert (counts["true"], counts["said"]) == (1, 1)


def test_flutter_as_fibrillation():
    counts = either_counts(NOTES, OURS)
    assert (counts["tp"], counts["fn"], counts["fp"], counts["tn"]) == (90, 70, 20, 420)
    assert (counts["found"], counts["episodes"]) == (1, 1)  # AF and flutter that follow one another are one


def test_an_episode_in_flutter_alone_is_no_false_one():
    ours = said(rhythms=[(0, 202, "N"), (202, 236, "AFIB"), (236, 600, "N")], seconds=600)
    counts = fibrillation_counts(NOTES, ours)
    assert (counts["said"], counts["fp"], counts["ours_s"]) == (0, 0, 0)


def test_silence_finds_nothing_and_is_never_false():
    counts = fibrillation_counts(NOTES, said(rhythms=[(0, 600, "N")], seconds=600))
    assert (counts["tp"], counts["fp"], counts["said"]) == (0, 0, 0)


def test_what_is_drawn_is_what_differs():
    assert wrong(NOTES, OURS) == [(100, 150, "missed"), (400, 420, "missed"), (240, 260, "false")]
