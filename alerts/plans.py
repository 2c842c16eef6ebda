"""Plans in the database: the current one of a patient, and activating the next.

A new version and the limits it gives the detector are one transaction. Must never change an older version.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid5

import msgspec
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from alerts.ladder import Role
from alerts.limit_guard import check_limits, check_reason
from alerts.measuring import check_timetable
from alerts.pauses import check_planned
from alerts.plan import Plan, check_ladders, limits_of
from alerts.quiet_hours import check_quiet_hours
from alerts.reachability import Means, Unreachable, prove
from alerts.schedule import Schedule
from stream.command import LimitsChanged
from stream.finding import NAMESPACE, PatientId
from stream.store.sql import queries

if TYPE_CHECKING:
    from datetime import datetime

    from alerts.register import Connection

SQL = queries(Path(__file__).with_name("plans.sql"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A plan as it was put in force."""

    plan: Plan
    by_whom: str
    at: datetime


class PlanOutdated(ValueError):
    """Somebody else activated another version meanwhile: read it, then decide again."""


def current(conn: Connection, patient: str) -> Plan:
    """The plan in force, with who is on call; the defaults where nobody wrote one."""
    row = conn.cursor(row_factory=dict_row).execute(SQL["current_plan"], {"patient": patient}).fetchone()
    return with_schedules(conn, Plan(patient=patient) if row is None else msgspec.convert(row["body"], Plan))


def versions(conn: Connection, patient: str) -> list[Version]:
    """What was agreed with a patient, newest first, at most the last hundred; empty: nobody wrote a plan."""
    rows = conn.cursor(row_factory=dict_row).execute(SQL["versions"], {"patient": patient}).fetchall()
    return [
        Version(plan=msgspec.convert(row["body"], Plan), by_whom=row["by_whom"], at=row["activated_at"]) for row in rows
    ]


def with_schedules(conn: Connection, plan: Plan) -> Plan:
    """A plan with the practice's schedules as they are now."""
    named = {role: plan.schedules.get(role, role.value) for role in Role}
    found = schedules(conn, list(named.values()))
    return replace(plan, on_call={role: found[name] for role, name in named.items() if name in found})


def schedules(conn: Connection, names: list[str]) -> dict[str, Schedule]:
    """The schedules of these names that there are."""
    rows = conn.cursor(row_factory=dict_row).execute(SQL["schedules"], {"names": names}).fetchall()
    return {row["name"]: msgspec.convert(row["body"], Schedule) for row in rows}


def worn(conn: Connection, patient: str) -> frozenset[str]:
    """Kinds of data that a patient's devices send."""
    row = conn.cursor(row_factory=dict_row).execute(SQL["worn"], {"patient": patient}).fetchone()
    return frozenset(row["kinds"] if row else ())


def activate(
    conn: Connection, plan: Plan, means: Means, *, by_whom: str, now: datetime, limits_only: bool = False
) -> tuple[Plan, tuple[str, ...]]:
    """Make `plan` the next version, and tell the detector its limits; returns it with what is unusual about it.

    `plan.version` is the version that the writer saw. To be called within a transaction. `limits_only`: nothing but limits
    is new, so that what the plan in force lacks already is said, and does not keep a limit from being tightened.

    Raises:
        PlanOutdated: another version came first.
        LimitRefused: a limit beyond what anybody may set.
        ReasonMissing: a limit newly beyond what is advised, and no reason.
        PlanRefused: a ladder that would not tell anybody, or an unknown guideline.
        QuietHoursRefused: quiet hours that no clock shows, or too long.
        PauseRefused: longer pauses than anybody may have.
        Unreachable: somebody would not be told at some hour, or a rule could not fire; it says which.
    """
    limits = limits_of(plan)
    warnings = check_limits(limits)
    check_ladders(plan.ladders)
    check_quiet_hours(plan.quiet)
    check_planned(plan.pauses)
    conn.execute(SQL["lock_schedules"])
    check_timetable(plan.pressure_times)
    conn.execute(SQL["lock_plan"], {"patient": plan.patient})
    before = current(conn, plan.patient)
    if before.version != plan.version:
        said = f"version {before.version} of this plan is in force, not {plan.version}: read it, decide again"
        raise PlanOutdated(said)
    proof = prove(with_schedules(conn, plan), means, now, worn(conn, plan.patient))
    known = prove(before, means, now).problems if limits_only else ()
    if problems := [one for one in proof.problems if one not in known]:
        raise Unreachable(problems)
    check_reason(plan, before, warnings)
    made = replace(plan, version=before.version + 1)
    body = Jsonb(msgspec.to_builtins(replace(made, on_call={})))
    conn.execute(
        SQL["save_plan"],
        {"patient": made.patient, "version": made.version, "body": body, "by_whom": by_whom, "now": now},
    )
    told = LimitsChanged(
        patient=PatientId(made.patient), plan_version=made.version, limits=limits, pressure_times=made.pressure_times
    )
    identity = uuid5(NAMESPACE, f"limits|{made.patient}|{made.version}")
    # What is not agreed is left out: a stream of an older version has no name for it.
    body = Jsonb({name: value for name, value in msgspec.to_builtins(told).items() if value is not None})
    conn.execute(SQL["tell_limits"], {"id": identity, "body": body, "by_whom": by_whom})
    return made, (*warnings.values(), *(one for one in proof.problems if one in known), *proof.warnings)
