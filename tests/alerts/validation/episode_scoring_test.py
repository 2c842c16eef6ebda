"""VF and VT, event by event: what finds what, how late, what is false."""

from __future__ import annotations

import pytest

from alerts.validation.collection import Collection
from alerts.validation.episode_scoring import hunt
from tests.alerts.validation.annotated import reference, said

NOTES = reference(
    [(0, "+", "(N"), (100, "+", "(VF"), (130, "+", "(N"), (300, "+", "(VT"), (310, "+", "(NOISE"), (400, "+", "(N")],
    seconds=1000,
)


def of(*episodes, notes=NOTES, collection=Collection.VFDB):
    return hunt(notes, said(episodes=episodes, seconds=1000), collection)


@pytest.mark.parametrize(
    ("episode", "delay"),
    [
        (("vf", 102, 104, 130), 4),
        (("vf", 90, 95, 130), 0),  # open at the onset already
        (("vt", 103, 106, 140), 6),  # fast VT for VF: the same emergency
        (("nsvt", 103, 106, 140), None),  # three wide beats are no VF
        (("vf", 128, 141, 150), None),  # decided more than 10 s after its end
        (("vf", 60, 62, 99), None),  # over before
    ],
)
def test_an_episode_is_found_in_time_by_what_means_it(episode, delay):
    assert of(episode).events[0].delay_s == delay


def test_a_short_run_finds_vt():
    assert of(("nsvt", 301, 303, 305)).events[1].delay_s == 3


def test_only_what_lies_away_from_every_episode_is_false():
    found = of(("vf", 140.5, 145, 150), ("vf", 139, 145, 150), ("vf", 500, 503, None), ("nsvt", 600, 602, 604))
    assert [e.onset_s for e in found.false] == [140.5, 500]
    assert found.counts["false"] == 2
    assert found.counts["false_s"] == 10 + 500  # 140 to 150 once, and 500 to the end of the recording


def test_noise_is_neither_calm_nor_false():
    found = of(("vf", 350, 353, 360))
    assert (found.counts["false"], found.counts["in_noise"]) == (0, 1)
    assert found.counts["hours"] * 3600 == pytest.approx(1000 - 50 - 30 - 80)  # VF and VT with margins, then NOISE


def test_vt_of_cudb_is_not_judged():
    notes = reference([(100, "["), (120, "]")], seconds=1000)
    found = of(("vt", 500, 503, 510), ("vf", 700, 703, 710), notes=notes, collection=Collection.CUDB)
    assert (found.counts["false"], found.counts["unjudged"]) == (1, 1)
    assert found.counts["VF"] == 1


def test_episodes_under_five_seconds_need_not_be_found():
    notes = reference([(100, "["), (104, "]"), (200, "["), (205, "]")], seconds=1000)
    assert of(notes=notes, collection=Collection.CUDB).counts["VF"] == 1
