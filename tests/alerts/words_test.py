"""Every condition has its words for every audience, in every language; and the wearer's are plain."""

from __future__ import annotations

import re
from itertools import chain

import pytest

from alerts.alert import Reason, StationCondition, Tier
from alerts.catalogue import CONDITIONS, REASONS, TIERS
from alerts.policy import RULES
from alerts.words import LANGUAGES, Words
from alerts.words_clinic import CLINIC
from alerts.words_patient import PATIENT
from alerts.words_technical import BY_CAUSE, MEND, because
from stream.equipment import CAUSES
from stream.finding import Condition

ALL = sorted({*Condition, *StationCondition})
CHINESE = re.compile(r"[\u4e00-\u9fff]")
RHYTHMS = re.compile(
    r"fibrillation|flutter|tachycardia|bradycardia|asystole|ventric|atrial|bigeminy|trigeminy|ectop|arrhythm|systolic"
    r"|颤动|扑动|心动过速|心动过缓|停搏|室性|房性|室速|房颤|室颤|早搏|二联律|三联律",
    re.IGNORECASE,
)


def sentences(words: Words) -> list[dict[str, str]]:
    return [words.what, *words.do]


@pytest.mark.parametrize("condition", ALL)
def test_every_condition_has_a_name_and_words_for_both_audiences(condition: str) -> None:
    assert set(CONDITIONS[condition]) == set(LANGUAGES)
    for table in (PATIENT, CLINIC):
        words = table[condition]
        assert words.do, f"{condition}: nothing to do is a step too"
        for one in sentences(words):
            assert set(one) == set(LANGUAGES)
            assert one["en"].endswith((".", "?"))
            assert one["en"].isascii() or "“" in one["en"]
            assert CHINESE.search(one["zh"])
            assert one["zh"].endswith(("。", "\uff1f"))


def test_no_word_is_about_a_condition_that_is_no_more() -> None:
    known = {*ALL, *RULES}
    assert not {*CONDITIONS, *PATIENT, *CLINIC} - known


def test_every_reason_and_tier_has_a_sentence() -> None:
    assert set(REASONS) == set(Reason)
    assert set(TIERS) == set(Tier)


@pytest.mark.parametrize("condition", ALL)
def test_the_wearer_reads_plain_words(condition: str) -> None:
    for language in LANGUAGES:
        for one in (sentence[language] for sentence in sentences(PATIENT[condition])):
            assert not RHYTHMS.search(one), one
            assert "%" not in one
            assert not {"!", "\uff01"} & set(one)
            assert "_" not in one
    assert not re.search(r"\d", PATIENT[condition].what["en"])


@pytest.mark.parametrize("condition", ALL)
def test_nobody_is_called_healthy_and_steps_begin_with_what_to_do(condition: str) -> None:
    every = chain.from_iterable(sentences(words) for words in (PATIENT[condition], CLINIC[condition]))
    assert not any("healthy" in one["en"] or "健康" in one["zh"] for one in every)
    for step in PATIENT[condition].do:
        assert not re.match(r"(?:The|A|An|It|Your|There|This)\b", step["en"]), step["en"]


@pytest.mark.parametrize("condition", sorted(name for name, rule in RULES.items() if rule.tier is Tier.EMERGENCY))
def test_an_emergency_asks_for_help_first_of_all(condition: str) -> None:
    steps = [step["en"] for step in PATIENT[condition].do]
    assert any("emergency number" in step for step in steps[:2])
    assert any(re.match(r"Send help|Call the patient", step["en"]) for step in CLINIC[condition].do[:1])


def test_why_a_device_is_silent_comes_first_of_what_to_do() -> None:
    assert set(BY_CAUSE) == set(CAUSES)
    for cause in CAUSES:
        step = because({"cause": cause, "device": "h10"})
        assert step == BY_CAUSE[cause]
        assert set(step) == set(LANGUAGES)
        assert not re.match(r"(?:The|A|An|It|Your|There|This)\b", step["en"])
    assert because({"cause": "not_measured"}) is because({}) is None


@pytest.mark.parametrize("condition", MEND)
def test_a_practice_or_operator_reads_what_mends_it(condition: str) -> None:
    assert MEND[condition] in CLINIC[condition].do
