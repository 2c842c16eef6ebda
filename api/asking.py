"""How the commands ask the running API: as the machine whose token lies in the data folder.

Must never show or log that token.
"""

from __future__ import annotations

from typing import Any, NoReturn
from uuid import uuid4

import typer

from api.access import OPERATOR

_OK = 300


def ask(context: typer.Context, method: str, path: str, body: object = None) -> Any:
    """The API's answer; what it refuses ends the command with its sentence, and the places that are at fault."""
    import httpx2

    place = context.obj()
    url = f"http://{place.api.host}:{place.api.port}"
    token_file = place.folder.keys / f"api-{OPERATOR}.token"
    try:
        token = token_file.read_text(encoding="ascii").strip()
    except OSError:
        fail(
            f"no token at {token_file}: is that the data folder of the running Tierwatch? (tierwatch --data FOLDER ...)"
        )
    headers = {"authorization": f"Bearer {token}", "idempotency-key": str(uuid4())}
    try:
        reply = httpx2.request(method, url + path, headers=headers, json=body, timeout=10.0, trust_env=False)
    except httpx2.TransportError as error:
        fail(f"no API at {url}: is `tierwatch up` running? ({type(error).__name__})")
    told = reply.json() if reply.content else {}
    if reply.status_code >= _OK:
        for wrong in told.get("errors", ()):
            typer.echo(f"{wrong['at']}: {wrong['why']}", err=True)
        fail(told.get("detail", f"HTTP {reply.status_code}"))
    return told


def fail(sentence: str) -> NoReturn:
    """End the command with one sentence."""
    typer.echo(f"tierwatch: {sentence}", err=True)
    raise typer.Exit(1)
