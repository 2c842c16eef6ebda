"""The pages' words: both languages hold the same keys, and every key that a page uses is there."""

from __future__ import annotations

import json
import re
from functools import cache

from alerts.alert import Outcome
from alerts.ladder import Role
from alerts.machine import Signal
from api.page_routes import FOLDER

LANGUAGES = ("en", "zh")
SCRIPTS = "\n".join(path.read_text(encoding="utf-8") for path in sorted((FOLDER / "js").glob("*.js")))


@cache
def words(language: str) -> dict[str, str]:
    return json.loads((FOLDER / "words" / f"{language}.json").read_text(encoding="utf-8"))


def test_both_languages_hold_the_same_keys_and_none_is_empty() -> None:
    assert set(words("en")) == set(words("zh"))
    assert all(text.strip() for language in LANGUAGES for text in words(language).values())


def test_both_languages_fill_in_the_same_values() -> None:
    def names(text: str) -> set[str]:
        return set(re.findall(r"\{(\w+)\}", text))

    assert [key for key in words("en") if names(words("en")[key]) != names(words("zh")[key])] == []


def test_no_english_is_left_in_the_chinese_but_units_and_names() -> None:
    allowed = re.compile(r"\{\w+\}|Tierwatch|mm/s|mm/mV|PR|QRS|QT|RR|Fridericia|NeuroKit2|FHIR|JSON")
    assert [key for key, text in words("zh").items() if re.search(r"[A-Za-z]{2,}", allowed.sub(" ", text))] == []


def test_every_key_that_a_page_names_is_there() -> None:
    used = set(re.findall(r"""\bt\(\s*"([\w.]+)\"""", SCRIPTS))
    assert len(used) > 50
    assert sorted(used - set(words("en"))) == []


def test_every_key_that_is_there_is_used() -> None:
    built = set(re.findall(r"`([\w.]+\.)\$\{", SCRIPTS))
    unused = [key for key in words("en") if f'"{key}"' not in SCRIPTS and not key.startswith(tuple(built))]
    assert unused == []


def test_whatever_may_happen_to_an_alert_has_words() -> None:
    silent = {Signal.PRESENT}  # a finding renewed is no news
    wanted = [f"story.{one}" for one in Signal if one not in silent]
    wanted += [f"ended.{one}" for one in Outcome]
    wanted += [f"role.{one}" for one in Role] + [f"me.who.{one}" for one in Role]
    assert [key for key in wanted if key not in words("en")] == []
