"""The `[device_sims]` table of tierwatch.toml: what the demo's world is like. The product itself reads none of it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from device_sims.dispatch_behaviour import Behaviour


class DeviceSimsSettings(BaseModel):
    """What the world needs to know before it starts; each field is one line of the table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dispatch_port: Annotated[int, Field(ge=1, le=65535)] = 8091
    """Where the simulated dispatch centre listens, on loopback: `[alerts.endpoints] dispatch` has to lead there."""
    dispatch: Behaviour = Behaviour.ACCEPT
    """How it answers: accept, come, receive, reject, slow, fail, redirect or down."""
    quiet_patients: Annotated[int, Field(ge=0, le=200)] = 1
    """Patients to whom nothing happens, beside Ada, the couple and the Wi-Fi patch."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Of all that is drawn by chance: the same seed makes the same world."""

    @property
    def dispatch_url(self) -> str:
        """Where emergencies are to be posted."""
        return f"http://127.0.0.1:{self.dispatch_port}/emergencies"
