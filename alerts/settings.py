"""The `[alerts]` table of tierwatch.toml. Limits, ladders and care teams are plans, never settings.

Must never hold a secret: those are files in the data folder's `keys/`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from alerts.delivery.settings import DeliverySettings


class AlertsSettings(BaseModel):
    """What alerting needs to know before it starts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoints: dict[Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}$")], str] = {}
    """Webhook endpoints by name; `dispatch` serves patients without a plan of their own. Secrets lie in `keys/`."""
    allowed_private_hosts: tuple[str, ...] = ()
    """Hosts on private ground that notices may be sent to, as they stand in the endpoint's URL."""
    delivery: DeliverySettings = DeliverySettings()
    """`[alerts.delivery]`: mail, templates, patience."""
    poll_s: Annotated[float, Field(ge=0.05, le=1.0)] = 0.25
    """How often the station looks by itself; a NOTIFY only wakes it earlier."""
    lease_s: Annotated[float, Field(ge=10, le=300)] = 30.0
    """After so long an attempt of a process that died is taken over by another."""
    reconcile_s: Annotated[float, Field(ge=1, le=600)] = 60.0
    """How often open episodes are compared with open alerts."""
    heartbeat_url: str = ""
    """Asked each minute while all is well: a monitor outside tells people when that stops. Empty: nobody outside knows."""
    workers: Annotated[int, Field(ge=2, le=64)] = 16
    """How many notices are sent at once; half of them are kept for emergencies."""
