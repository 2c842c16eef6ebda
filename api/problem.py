"""Errors as RFC 9457 problem details: what was wrong, and what to do.

Must never show a stack, a query or somebody's data.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import psycopg
import structlog
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException

from alerts.answers import Conflict, NoSuchAlert
from alerts.countdown import NotAsked
from alerts.dead_letters import CannotSendAgain, NoSuchNotice
from alerts.faults import where
from alerts.limit_guard import LimitRefused, ReasonMissing
from alerts.monitoring import NoSuchPause, NotMonitored
from alerts.pauses import PauseRefused
from alerts.plan import PlanRefused
from alerts.plans import PlanOutdated
from alerts.quiet_hours import QuietHoursRefused
from alerts.reachability import Unreachable
from alerts.responses import IdReused, NotTold
from alerts.schedule import ScheduleRefused
from alerts.schedules import ScheduleOutdated
from alerts.sealing import CannotOpen
from alerts.snooze import SnoozeRefused

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

_LOG: Any = structlog.get_logger(__name__)
MEDIA = "application/problem+json"


class Problem(Exception):
    """Something that is told to whoever asked."""

    def __init__(self, status: int, detail: str, **more: object) -> None:
        """`more` goes into the answer beside the sentence."""
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.more = more


def answer(
    status: int, detail: str, more: dict[str, Any] | None = None, headers: dict[str, str] | None = None
) -> JSONResponse:
    """A problem as a response."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail} | (
        more or {}
    )
    return JSONResponse(body, status_code=status, media_type=MEDIA, headers=headers)


def install(app: FastAPI) -> None:
    """Turn every error of this application into a problem."""
    told: dict[type[Exception], int] = {
        NoSuchAlert: 404,
        NotTold: 404,
        NoSuchNotice: 404,
        CannotSendAgain: 409,
        Conflict: 409,
        IdReused: 409,
        NotAsked: 409,
        NoSuchPause: 404,
        NotMonitored: 409,
        SnoozeRefused: 422,
        PauseRefused: 422,
        QuietHoursRefused: 422,
        PlanOutdated: 412,
        ScheduleOutdated: 412,
        LimitRefused: 422,
        ReasonMissing: 422,
        PlanRefused: 422,
        ScheduleRefused: 422,
    }
    for error, status in told.items():
        app.add_exception_handler(error, _sentence(status))
    for error in (psycopg.OperationalError, PoolTimeout):
        app.add_exception_handler(error, _no_database)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(CannotOpen, _sealed)
    app.add_exception_handler(psycopg.DataError, _unstorable)
    app.add_exception_handler(Exception, _broken)


def _sentence(status: int) -> Any:
    def handle(request: Request, error: Exception) -> JSONResponse:
        del request
        more: dict[str, Any] = {}
        if isinstance(error, Conflict):
            at = error.alert.answered_at
            more = {
                "state": error.alert.state,
                "answered_by": error.alert.answered_by,
                "answered_at": at.isoformat() if at else None,
            }
        if isinstance(error, LimitRefused):
            more = {"limit": error.limit}
        if isinstance(error, ReasonMissing):
            more = {"unadvised": error.warnings}
        if isinstance(error, Unreachable):
            more = {"problems": error.problems}
        return answer(status, str(error), more)

    return handle


def _problem(request: Request, error: Exception) -> JSONResponse:
    del request
    assert isinstance(error, Problem)
    return answer(error.status, error.detail, dict(error.more))


def _http(request: Request, error: Exception) -> JSONResponse:
    del request
    assert isinstance(error, HTTPException)
    return answer(error.status_code, str(error.detail), headers=dict(error.headers or {}))


def _invalid(request: Request, error: Exception) -> JSONResponse:
    del request
    assert isinstance(error, RequestValidationError)
    # Where and why, never the value: it may be a patient's.
    wrong = [{"at": ".".join(str(part) for part in one["loc"]), "why": one["msg"]} for one in error.errors()]
    return answer(422, "; ".join(f"{one['at']}: {one['why']}" for one in wrong), {"errors": wrong})


def _no_database(request: Request, error: Exception) -> JSONResponse:
    del request
    _LOG.warning("database_gone", error=type(error).__name__)
    return answer(503, "the database is not there just now: try again", headers={"retry-after": "2"})


def _sealed(request: Request, error: Exception) -> JSONResponse:
    del request
    _LOG.error("cannot_open", error=str(error))
    return answer(500, "what is asked for lies sealed, and the key does not open it: see the server's log")


def _unstorable(request: Request, error: Exception) -> JSONResponse:
    del request
    _LOG.warning("unstorable", error=type(error).__name__)
    return answer(422, "something in the request cannot be stored, as a NUL character in a text")


def _broken(request: Request, error: Exception) -> JSONResponse:
    del request
    _LOG.error("request_failed", **where(error))
    return answer(500, "this is a fault of ours; it is in the server's log")
