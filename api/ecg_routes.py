"""The ECG of an alert as samples, for the console's paper: those of the strip that the alert carries.

Read only. Must never fill a gap: a sample that is not there says so.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from alerts.measurer import NO_ECG, measures_of
from alerts.strip import tracing_of
from api.access import Asker, may
from api.ecg_json import of_tracing
from api.house import Here, Row
from api.problem import Problem
from api.rights import Right

router = APIRouter(prefix="/api/v1", tags=["alerts"])


@router.get("/alerts/{alert}/ecg")
def ecg(alert: UUID, house: Here, asker: Annotated[Asker, may(Right.SEE)]) -> Row:
    """Thirty seconds around the onset: base64 of int16 little-endian microvolts, -32768 where there is no sample."""
    asker.check_alert(alert)
    with house.transaction() as conn:
        tracing = tracing_of(conn, alert)
    if tracing is None:
        raise Problem(404, "no ECG is stored around the onset of this alert")
    return of_tracing(tracing)


@router.get("/alerts/{alert}/measures")
def measures(alert: UUID, house: Here, asker: Annotated[Asker, may(Right.SEE)]) -> Row:
    """RR, PR, QRS, QT and QTc in ms with what each rests on, `cannot` with why not, and the beats; or `pending`.

    QTc is Fridericia's; Bazett's stands beside it. Beats: seconds since the strip begins, class N, S, V, Q or P (paced).
    """
    asker.check_alert(alert)
    with house.transaction() as conn:
        found = measures_of(conn, alert)
        has_ecg = found["cannot"].get("rr") != NO_ECG if found else tracing_of(conn, alert) is not None
    if not has_ecg:
        raise Problem(404, "no ECG is stored around the onset of this alert")
    return found or {"pending": True}
