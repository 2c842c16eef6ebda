"""All that one run found, as one value, and as JSON for programs. Writes files whole or not at all."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alerts.validation.statements import DEVELOPED_ON, NOT_CLEARED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from alerts.validation.collection import Source
    from alerts.validation.examine import Examined
    from alerts.validation.figures import Figure
    from alerts.validation.robustness import Strained


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """One run."""

    version: str
    made_at: datetime
    took_s: float
    sources: Sequence[Source]
    examined: Sequence[Examined]
    figures: Sequence[Figure]
    absent: Sequence[str] = ()
    """Peers that are not installed."""
    strained: Sequence[Strained] = field(default_factory=tuple)
    """The table of robustness."""


def as_json(results: Results) -> str:
    """Figures, counts of each recording, robustness. What is not known is null."""
    told: dict[str, Any] = {
        "tierwatch": results.version,
        "made_at": results.made_at.isoformat(timespec="seconds"),
        "took_s": round(results.took_s, 1),
        "statements": [NOT_CLEARED, DEVELOPED_ON],
        "collections": [
            {"name": one.name, "collection": str(one.collection), "recordings": len(one.records)}
            for one in results.sources
        ],
        "peers_not_installed": list(results.absent),
        "figures": [_figure(one) for one in results.figures],
        "recordings": [_recording(one) for one in results.examined],
        "robustness": [{"strain": one.name, **_plain(one.told())} for one in results.strained],
    }
    return json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def write(path: Path, text: str) -> None:
    """Replace a file at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _figure(one: Figure) -> dict[str, Any]:
    return {
        "section": one.section,
        "name": one.name,
        "where": one.where,
        "who": one.who,
        **_plain({"value": one.value, "low": one.low, "high": one.high}),
        "unit": one.unit,
        "recordings": one.records,
        "basis": one.basis,
        "target": None if one.target is None else {"value": one.target.value, "is_least": one.target.is_least},
        "standing": str(one.standing) or None,
    }


def _recording(one: Examined) -> dict[str, Any]:
    return {
        "collection": one.task.source,
        "recording": one.record,
        "seconds": round(one.seconds, 3),
        "answer": one.answer or None,
        "error": one.error or None,
        "remark": one.remark or None,
        "counts": {str(name): _plain(counts) for name, counts in one.counts.items()},
    }


def _plain(numbers: dict[str, float]) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else round(value, 6) for name, value in numbers.items()}
