"""F1 of strips by hand, and weighed back to the classes of the Challenge."""

from __future__ import annotations

import numpy as np
import pytest

from alerts.validation.collection import Collection
from alerts.validation.examine import Task, examine
from alerts.validation.strip_scoring import CLASSES, PUBLISHED, answer, f1, mean_f1


def sums(**cells):
    return {name.replace("q", "~").replace("x", "-"): np.array([float(n)]) for name, n in cells.items()}


def test_twice_the_agreed_over_those_that_are_and_those_called_so():
    table = sums(NN=8, NA=2, AA=3, AO=1, OO=4, ON=2, qq=1)
    assert f1(table, "N")[0] == pytest.approx(100 * 16 / (10 + 10))
    assert f1(table, "A")[0] == pytest.approx(100 * 6 / (4 + 5))
    assert f1(table, "O")[0] == pytest.approx(100 * 8 / (6 + 5))
    assert f1(table, "~")[0] == 100
    assert mean_f1(table)[0] == pytest.approx(np.mean([f1(table, c)[0] for c in "NAO"]))  # noisy is not in it


def test_no_answer_is_wrong_for_its_own_class_alone():
    assert answer("N", "") == {"N-": 1}
    assert answer("A", "A") == {"AA": 1}
    with_one, without = sums(AA=3, Ax=1, NN=3), sums(AA=3, NN=3)
    assert f1(with_one, "A")[0] == pytest.approx(100 * 6 / 7)
    assert f1(with_one, "N")[0] == f1(without, "N")[0] == 100


def test_in_the_published_mix_the_figure_is_the_same():
    even = {c + c: np.array([0.8 * n]) for c, n in PUBLISHED.items()} | {
        "NO": np.array([0.2 * PUBLISHED["N"]]), "ON": np.array([0.2 * PUBLISHED["O"]]),
        "AO": np.array([0.2 * PUBLISHED["A"]]), "~O": np.array([0.2 * PUBLISHED["~"]]),
    }  # fmt: skip
    thinned = {name: n / (3 if name[0] == "N" else 1) for name, n in even.items()}
    for group in CLASSES:
        assert f1(thinned, group, as_published=True)[0] == pytest.approx(f1(even, group)[0])
    assert f1(thinned, "N")[0] != pytest.approx(f1(even, "N")[0])


def test_a_real_strip_gets_the_answer_of_the_judge(records):
    folder = records / "challenge2017"
    if not folder.is_dir():
        pytest.skip("no strips among the recordings")
    path = min(folder.glob("*.hea")).with_suffix("")
    one = examine(Task(source="s", collection=Collection.CHALLENGE2017, path=path, truth=("N",)))
    assert one.answer in CLASSES
    assert one.counts["strips"] == {"N" + one.answer: 1}
