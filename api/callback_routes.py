"""What comes back from endpoints over HTTP: signed by Standard Webhooks with the endpoint's own secret, no token.

A shell: what a statement means is `alerts.responses`. Must never read a body as anything before its signature fits.
"""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import structlog
from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from alerts import responses
from alerts.delivery.signing import NotSigned, secrets_of, verified
from alerts.responses import Kind, Statement
from api.described import problems
from api.house import Here, House, Row
from api.problem import Problem

router = APIRouter(prefix="/api/v1", tags=["callbacks"])
LARGEST = 16_384
"""Bytes of a callback."""
_LOG: Any = structlog.get_logger(__name__)


class Given(BaseModel):
    """Which alert, and what there is to say about it; further keys are kept as said."""

    alert_id: UUID
    notice_id: UUID | None = None
    reason: Annotated[str, Field(max_length=500)] = ""
    eta: AwareDatetime | None = None
    by: Annotated[str, Field(max_length=80)] = ""


class Callback(BaseModel):
    """One statement of an endpoint."""

    type: Literal["alert.accepted", "alert.rejected", "alert.on_the_way", "alert.arrived"]
    data: Given


@router.post(
    "/callbacks/{endpoint}",
    responses=problems(401, 409, 413),
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/json": {"schema": Callback.model_json_schema()}}}
    },
)
async def call_back(endpoint: str, request: Request, house: Here) -> Row:
    """Say what becomes of an alert: accepted, rejected (reason), on the way (eta), arrived.

    The headers are those of Standard Webhooks, signed with a secret of the endpoint; the same `webhook-id` again
    changes nothing and gives the alert as it is now.
    """
    body = await _body(request)
    try:
        external_id = verified(secrets_of(house.keys, endpoint), request.headers, body, time.time())
    except NotSigned as error:
        _LOG.warning("callback_refused", why=str(error))
        raise Problem(401, str(error)) from None
    try:
        given = Callback.model_validate_json(body)
    except ValidationError as error:
        raise Problem(
            422, "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        ) from None
    said = Statement(
        endpoint=endpoint,
        external_id=external_id,
        kind=Kind(given.type.removeprefix("alert.")),
        alert=given.data.alert_id,
        notice=given.data.notice_id,
        reason=given.data.reason,
        eta=given.data.eta,
        by=given.data.by,
        body=_as_said(body),
    )
    return await run_in_threadpool(_taken, house, said)


def _taken(house: House, said: Statement) -> Row:
    with house.transaction() as conn:
        now, is_new = responses.take(conn, said, house.now())
    _LOG.info("callback", endpoint=said.endpoint, kind=said.kind, alert=str(said.alert), is_new=is_new)
    return {
        "alert": now.alert,
        "kind": said.kind,
        "state": now.state,
        "answered_by": now.answered_by,
        "changed": is_new,
    }


def _as_said(body: bytes) -> dict[str, Any]:
    said: dict[str, Any] = msgspec.json.decode(body)["data"]
    return said


async def _body(request: Request) -> bytes:
    read = b""
    async for part in request.stream():
        read += part
        if len(read) > LARGEST:
            raise Problem(413, f"a callback is at most {LARGEST} bytes")
    return read
