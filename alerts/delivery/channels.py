"""Which channels there are: one table, made from the settings."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from alerts.delivery import console, log
from alerts.delivery.console import Console
from alerts.delivery.log import LogChannel
from alerts.delivery.mail import Mail
from alerts.delivery.posting import Poster
from alerts.delivery.webhook import Templated, Webhook
from alerts.links import Links
from alerts.listeners import is_listening

if TYPE_CHECKING:
    from pathlib import Path

    from alerts.delivery.outcome import Channel
    from alerts.settings import AlertsSettings


def channels(settings: AlertsSettings, keys: Path, dsn: str, public_url: str = "") -> dict[str, Channel]:
    """Every channel by the name that a care team uses.

    `dsn`: where it stands who listens at a console, and what the links of letters lead to. `public_url`: where they lead.
    """
    delivery, private = settings.delivery, settings.allowed_private_hosts
    poster = Poster(private, delivery.timeout_s)
    found: dict[str, Channel] = {
        "webhook": Webhook(settings.endpoints, keys, allowed_private_hosts=private, timeout_s=delivery.timeout_s),
        log.CHANNEL: LogChannel(),
        console.CHANNEL: Console(partial(is_listening, dsn)),
    }
    if delivery.mail is not None:
        found["email"] = Mail(delivery.mail, keys, delivery.timeout_s, links=Links(public_url, keys, dsn))
    return found | {name: Templated(name, one, keys, poster) for name, one in delivery.templates.items()}
