"""Plans in the database: the current one of a patient, and activating the next.

A new version and the limits it gives the detector are one transaction. Must never change an older version.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid5

import msgspec
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from alerts.plan import Plan, check_ladders, check_limits, limits_of
from stream.command import LimitsChanged
from stream.finding import NAMESPACE, PatientId
from stream.store.sql import queries

if TYPE_CHECKING:
    from datetime import datetime

    from alerts.register import Connection

SQL = queries(Path(__file__).with_name("plans.sql"))


class PlanOutdated(ValueError):
    """Somebody else activated another version meanwhile: read it, then decide again."""


def current(conn: Connection, patient: str) -> Plan:
    """The plan in force; the defaults where nobody wrote one."""
    row = conn.cursor(row_factory=dict_row).execute(SQL["current_plan"], {"patient": patient}).fetchone()
    return Plan(patient=patient) if row is None else msgspec.convert(row["body"], Plan)


def activate(conn: Connection, plan: Plan, *, by_whom: str, now: datetime) -> tuple[Plan, tuple[str, ...]]:
    """Make `plan` the next version, and tell the detector its limits; returns it with what is unusual about it.

    `plan.version` is the version that the writer saw. To be called within a transaction.

    Raises:
        PlanOutdated: another version came first.
        LimitRefused: a limit beyond what anybody may set.
        PlanRefused: a ladder that would not tell anybody, or an unknown guideline.
    """
    limits = limits_of(plan)
    warnings = check_limits(limits)
    check_ladders(plan.ladders)
    conn.execute(SQL["lock_plan"], {"patient": plan.patient})
    in_force = current(conn, plan.patient).version
    if in_force != plan.version:
        raise PlanOutdated(f"version {in_force} of this plan is in force, not {plan.version}: read it, decide again")
    made = replace(plan, version=in_force + 1)
    body = Jsonb(msgspec.to_builtins(made))
    conn.execute(
        SQL["save_plan"],
        {"patient": made.patient, "version": made.version, "body": body, "by_whom": by_whom, "now": now},
    )
    told = LimitsChanged(patient=PatientId(made.patient), plan_version=made.version, limits=limits)
    identity = uuid5(NAMESPACE, f"limits|{made.patient}|{made.version}")
    body = Jsonb(msgspec.to_builtins(told))
    conn.execute(SQL["tell_limits"], {"id": identity, "body": body, "by_whom": by_whom})
    return made, warnings
