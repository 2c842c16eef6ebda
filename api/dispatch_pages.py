"""The dispatcher's pages: where a one-time link leads, the emergency itself, and the list for those with an account.

A link is opened once and then gone from the address. Must never put anything of the patient into a page: the page asks
the API for it.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from api import dispatch_routes, links
from api.house import Here
from api.links import Gone
from api.page_routes import FOLDER, TYPES, file_of, sent

if TYPE_CHECKING:
    from api.house import House

router = APIRouter(include_in_schema=False)
_PAGE = file_of(FOLDER / "emergency.html")
_GONE = (FOLDER / "dispatch-gone.html").read_text(encoding="utf-8")


@router.get("/d/{token}")
def open_link(token: str, request: Request, house: Here) -> Response:
    """Open a one-time link: on to the page, without the token in its address; or why not, and whom to call."""
    # A browser that only fetches ahead must not use the link up.
    if "prefetch" in request.headers.get("sec-purpose", request.headers.get("purpose", "")):
        return Response(status_code=204)
    try:
        alert, browser = dispatch_routes.opened(house, token, links.browser_of(request))
    except Gone as gone:
        return _gone(house, gone)
    answer = RedirectResponse(f"/dispatch/{alert}", status_code=303)
    links.give(answer, request, browser)
    return answer


@router.get("/dispatch/{alert}")
def page(alert: UUID, request: Request) -> Response:
    """One emergency. Whoever may not see it is told so by the API."""
    del alert
    return sent(request, _PAGE)


def _gone(house: House, gone: Gone) -> Response:
    opened_at = gone.opened_at.isoformat() if gone.opened_at else ""
    body = _GONE
    for name, value in (("why", gone.why), ("opened", opened_at), ("call", house.alerts.delivery.call_back)):
        body = body.replace(f"{{{name}}}", escape(value, quote=True))
    return Response(body, status_code=410, media_type=TYPES[".html"])
