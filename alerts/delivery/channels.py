"""Which channels there are: one table, made from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts.delivery.log import LogChannel
from alerts.delivery.webhook import Webhook

if TYPE_CHECKING:
    from pathlib import Path

    from alerts.delivery.outcome import Channel
    from alerts.settings import AlertsSettings


def channels(settings: AlertsSettings, keys: Path) -> dict[str, Channel]:
    """Every channel by the name that a care team uses."""
    return {
        "webhook": Webhook(
            settings.endpoints,
            keys,
            allowed_private_hosts=settings.allowed_private_hosts,
            timeout_s=settings.webhook_timeout_s,
        ),
        "log": LogChannel(),
    }
