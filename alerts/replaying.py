"""Alerts without a database: what the same policy and the same course make of a list of findings.

For `tierwatch replay`: the moment is each finding's own (`at`, when it was decided), plus the policy's delay. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from alerts import reaction
from alerts.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from alerts.alert import AlertId, Tier
    from stream.finding import Finding

POLICY_DELAY_S = 0.0
"""How long the policy waits before it raises what was found. No rule waits yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """An alert that sounded: raised, or raised again because it had become worse."""

    alert: AlertId
    finding: Finding
    tier: Tier
    raised_at: datetime
    generation: int


def replay_alerts(findings: Iterable[Finding], plan: Plan | None = None) -> list[Replayed]:
    """The alerts that these findings raise, in their order; nobody answers, so nothing is closed by hand."""
    situations: dict[str, reaction.Situation] = {}
    raised: list[Replayed] = []
    for finding in findings:
        situation = situations.get(finding.subject, reaction.Situation())
        now = finding.at + timedelta(seconds=POLICY_DELAY_S)
        agreed = plan or Plan(patient=finding.subject)
        changes = reaction.heard(situation, finding, agreed, now)
        situations[finding.subject] = reaction.applied(situation, changes)
        for change in changes:
            before = situation.alerts.get(change.alert.alert)
            if change.episode is not None and (before is None or before.generation != change.alert.generation):
                raised.append(
                    Replayed(
                        alert=change.alert.alert,
                        finding=finding,
                        tier=change.alert.tier,
                        raised_at=now,
                        generation=change.alert.generation,
                    )
                )
    return raised
