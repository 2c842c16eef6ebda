"""What lies sealed in the database, of all folders: one list, by which the keys are changed.

A test compares it with the schema: a column of bytes that is on no list is an error.
"""

from __future__ import annotations

from alerts import resealing
from alerts.resealing import Sealed

PERSON = Sealed(
    schema="api",
    table="person",
    key="patient",
    columns=(
        "name", "birth_date", "address", "door_code", "phones", "problems", "medication", "allergies", "implants",
        "directives", "contacts",
    ),
)  # fmt: skip
ACCOUNT = Sealed(schema="api", table="account", key="login", columns=("name",))
TABLES = (*resealing.TABLES, PERSON, ACCOUNT)
"""All of them."""
