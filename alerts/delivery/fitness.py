"""What `tierwatch check` sees of the ways to people: mail server, keys of templates. Sends nothing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from alerts.delivery.mail import Mail
from alerts.delivery.outcome import Delivered
from alerts.delivery.signing import secrets_of
from stream.servers.checkup import Check, Grade, guarded, webhook

if TYPE_CHECKING:
    from pathlib import Path

    from alerts.delivery.settings import MailSettings
    from alerts.delivery.template import Template
    from alerts.settings import AlertsSettings


def of_delivery(settings: AlertsSettings, keys: Path) -> list[Check]:
    """A line for each endpoint, for the mail server and for each template."""
    found = [
        guarded(f"webhook {name}", partial(webhook, name, url, has_secret=bool(secrets_of(keys, name))))
        for name, url in settings.endpoints.items()
    ]
    if settings.delivery.mail is not None:
        found.append(guarded("mail", partial(_mail, settings.delivery.mail, keys)))
    for name, template in settings.delivery.templates.items():
        found.append(guarded(f"template {name}", partial(_template, name, template, keys)))
    return found


def _mail(settings: MailSettings, keys: Path) -> Check:
    outcome = Mail(settings, keys).greeted()
    if isinstance(outcome, Delivered):
        return Check(name="mail", grade=Grade.OK, text=f"{settings.host} answers and lets us in")
    return Check(name="mail", grade=Grade.BAD, text=f"{settings.host}: {outcome.reason}")


def _template(name: str, template: Template, keys: Path) -> Check:
    label, file = f"template {name}", keys / f"template-{name}.key"
    if template.wants_key and not (file.is_file() and file.read_text(encoding="utf-8").strip()):
        return Check(name=label, grade=Grade.BAD, text=f"it asks for a key: put it into keys/{file.name}")
    reached = webhook(name, template.url, has_secret=True)
    is_signed = "signed" if secrets_of(keys, name) else "not signed: it has no secret of ours"
    return Check(name=label, grade=reached.grade, text=f"it answers; {is_signed}")
