"""The practice's schedules in the database: one for all of its patients, each change a new version.

A schedule that would leave any plan in force without somebody to tell is refused, as the plan would be. Must never change
an alert that is raised: it carries the schedule of then.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from alerts import plans
from alerts.ladder import Addressee, Role
from alerts.plan import Plan
from alerts.reachability import Means, Unreachable, flaw_of, prove
from alerts.schedule import Schedule, check_schedule
from stream.store.sql import queries

if TYPE_CHECKING:
    from datetime import datetime

    from alerts.register import Connection

SQL = queries(Path(__file__).with_name("schedules.sql"))
_MOST_NAMED = 5


class ScheduleOutdated(ValueError):
    """Somebody else put another version in force meanwhile: read it, then decide again."""


def current(conn: Connection, name: str) -> Schedule | None:
    """A schedule as it is now."""
    return plans.schedules(conn, [name]).get(name)


def activate(conn: Connection, schedule: Schedule, means: Means, *, by_whom: str, now: datetime) -> Schedule:
    """Put a schedule in force. `schedule.version` is the version that the writer saw. Within a transaction.

    Raises:
        ScheduleRefused: it cannot be read.
        ScheduleOutdated: another version came first.
        Unreachable: it names somebody who cannot be told, or a plan in force would lose somebody by it; it says whose.
    """
    check_schedule(schedule)
    conn.execute(SQL["lock_all"])
    before = current(conn, schedule.name)
    in_force = before.version if before else 0
    if in_force != schedule.version:
        raise ScheduleOutdated(
            f"version {in_force} of this schedule is in force, not {schedule.version}: read it first"
        )
    everybody = [
        Addressee(person=one.person, channel=one.channel, address=one.address, role=Role.PRACTICE)
        for one in sorted(schedule.everybody())
    ]
    flaws = [f"{one.person}: {flaw}" for one in everybody if (flaw := flaw_of(one, means))]
    made = replace(schedule, version=in_force + 1)
    for plan in _written(conn):
        told = {role: made if one.name == made.name else one for role, one in plan.on_call.items()}
        told |= {role: made for role in Role if plan.schedules.get(role, role.value) == made.name}
        known = prove(plan, means, now).problems
        lost = [one for one in prove(replace(plan, on_call=told), means, now).problems if one not in known]
        flaws += [f"plan of {plan.patient}: {one}" for one in lost]
    if flaws:
        more = [f"and {len(flaws) - _MOST_NAMED} more"] if len(flaws) > _MOST_NAMED else []
        raise Unreachable([*flaws[:_MOST_NAMED], *more])
    body = Jsonb(msgspec.to_builtins(made))
    asked = {"name": made.name, "version": made.version, "body": body, "by_whom": by_whom, "now": now}
    conn.execute(SQL["save_schedule"], asked)
    return made


def _written(conn: Connection) -> list[Plan]:
    rows = conn.cursor(row_factory=dict_row).execute(SQL["patients_with_plans"]).fetchall()
    return [plans.current(conn, row["patient"]) for row in rows]
