# ruff: noqa: RUF001 - Chinese has its own punctuation
"""Why somebody is told, in one sentence: tier, what, since when, with its numbers, and why that matters. Pure.

For doctors, dispatchers and operators, in every language; the wearer reads `words_patient.py` instead. Times are UTC and
say so. Must never say a number that the finding does not hold.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from alerts.catalogue import CONDITIONS, REASONS, TIERS
from alerts.words import LANGUAGES, Text, text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from alerts.alert import Alert, Episode, Tier

MMOL = 18.0182
"""mg/dL of glucose in one mmol/L."""

NUMBERS: Mapping[str, Text] = {
    # In the order in which they are said; `{0}` is the number.
    "rate_bpm": text("{0:.0f} a minute", "每分钟{0:.0f}次"),
    "atrial_bpm": text("atria at {0:.0f} a minute", "心房每分钟{0:.0f}次"),
    "silence_s": text("no beat for {0:.1f} s", "{0:.1f}秒无心搏"),
    "pause_s": text("{0:.1f} s without a beat", "间歇{0:.1f}秒"),
    "beats": text("{0:.0f} beats", "{0:.0f}次心搏"),
    "seconds": text("for {0:.0f} s", "持续{0:.0f}秒"),
    "hour_v_percent": text("{0:.1f} % of the last hour's beats ventricular", "近一小时室性搏动占{0:.1f}%"),
    "hour_s_percent": text("{0:.1f} % supraventricular ectopic", "室上性早搏占{0:.1f}%"),
    "lowest_mg_dl": text("lowest {0:.0f} mg/dL ({1:.1f} mmol/L)", "最低{1:.1f} mmol/L（{0:.0f} mg/dL）"),
    "highest_mg_dl": text("highest {0:.0f} mg/dL ({1:.1f} mmol/L)", "最高{1:.1f} mmol/L（{0:.0f} mg/dL）"),
    "mg_dl": text("now {0:.0f} mg/dL ({1:.1f} mmol/L)", "当前{1:.1f} mmol/L（{0:.0f} mg/dL）"),
    "expected_mg_dl": text("expected {0:.0f} mg/dL ({1:.1f} mmol/L)", "预计{1:.1f} mmol/L（{0:.0f} mg/dL）"),
    "rate_mg_dl_min": text("{0:+.1f} mg/dL a minute", "每分钟{0:+.1f} mg/dL"),
    "bad_s": text("for {0:.0f} s", "持续{0:.0f}秒"),
    "off_s": text("for {0:.0f} s", "持续{0:.0f}秒"),
    "count": text("{0:.0f} times", "{0:.0f}次"),
}
PAIRS: Mapping[tuple[str, str], Text] = {
    ("systolic_mmhg", "diastolic_mmhg"): text("{0:.0f}/{1:.0f} mmHg", "{0:.0f}/{1:.0f} mmHg"),
    ("mean_systolic_mmhg", "mean_diastolic_mmhg"): text("mean {0:.0f}/{1:.0f} mmHg", "平均{0:.0f}/{1:.0f} mmHg"),
}
FELT: Mapping[str, Text] = {
    "chest_pain": text("chest pain", "胸痛"),
    "breathless": text("breathless", "呼吸困难"),
    "faint": text("faint", "晕厥"),
    "palpitations": text("palpitations", "心悸"),
    "dizzy": text("dizzy", "头晕"),
    "other": text("unwell in another way", "其他不适"),
}
"""`code` of a symptom."""


def reason_of(alert: Alert, tier: Tier, episode: Episode | None, now: datetime) -> Text:
    """The sentence, by language: "EMERGENCY: ventricular tachycardia since 09:40:38 UTC, 201 a minute; this can kill ..."."""
    what = CONDITIONS.get(alert.condition, dict.fromkeys(LANGUAGES, alert.condition[:80]))
    said = numbers(episode.evidence if episode else {})
    when = _when(alert, episode, now)
    why, how = REASONS[alert.reason], TIERS[tier]
    english = ", ".join([f"{what['en']} {when['en']}", *(one["en"] for one in said)])
    chinese = "，".join([f"{what['zh']}，{when['zh']}", *(one["zh"] for one in said)])
    return text(f"{how['en']}: {english}; {why['en']}.", f"{how['zh']}：{chinese}；{why['zh']}。")


def numbers(evidence: Mapping[str, float | int | str]) -> list[Text]:
    """What the evidence holds in numbers, in words with their units."""
    said = []
    for (first, second), words in PAIRS.items():
        pair = _number(evidence.get(first)), _number(evidence.get(second))
        if pair[0] is not None and pair[1] is not None:
            said.append({language: words[language].format(*pair) for language in LANGUAGES})
    for name, words in NUMBERS.items():
        value = _number(evidence.get(name))
        if value is not None:
            said.append({language: words[language].format(value, value / MMOL) for language in LANGUAGES})
    felt = FELT.get(str(evidence.get("code", "")))
    return [*said, felt] if felt else said


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _when(alert: Alert, episode: Episode | None, now: datetime) -> Text:
    onset, end = alert.onset, episode.end if episode and not alert.state.is_present else None
    begun = _clock(onset, now)
    if end is None or end < onset:
        return text(f"since {begun} UTC", f"自{begun}（UTC）起")
    over = _clock(end, now)
    return text(f"from {begun} to {over} UTC", f"{begun}至{over}（UTC）")


def _clock(at: datetime, now: datetime) -> str:
    return f"{at:%H:%M:%S}" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M:%S}"
