"""The API against its own description: whatever is asked, the answer is one that the description knows, never a 5xx."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import httpx2
import schemathesis
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from api.access import ensure_token
from api.examples import BODIES
from stream.finding import Condition

if TYPE_CHECKING:
    from tests.api.served import Site

EXAMPLES = 20
load_all_checks()
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance, unsupported_method,
]  # fmt: skip


def test_no_answer_that_is_not_described(site: Site) -> None:
    site.alert("ada", Condition.VF)
    schema = schemathesis.openapi.from_url(f"{site.url}/api/v1/openapi.json")
    token = ensure_token(site.keys)
    wrong: dict[str, str] = {}
    operations = [one.ok() for one in schema.get_all_operations()]
    assert len(operations) > 40
    for operation in operations:

        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy())
        def answered(case: schemathesis.Case) -> None:
            case.call_and_validate(headers={"authorization": f"Bearer {token}"}, checks=CHECKS)

        try:
            answered()
        except FailureGroup as error:
            wrong[operation.label] = "; ".join(str(one) for one in error.exceptions)
    assert not wrong, "\n\n".join(f"{label}: {what}" for label, what in wrong.items())


def test_every_body_has_an_example_that_its_schema_takes(site: Site) -> None:
    schema = httpx2.get(f"{site.url}/api/v1/openapi.json").json()
    asked = set(re.findall(r"#/components/schemas/(\w+)", json.dumps([
        operation["requestBody"] for path in schema["paths"].values() for operation in path.values()
        if "requestBody" in operation
    ])))  # fmt: skip
    assert {name for name in asked if not schema["components"]["schemas"][name].get("examples")} == set()
    assert set(BODIES) <= asked
    for name, example in BODIES.items():
        found = Draft202012Validator({"$ref": f"#/components/schemas/{name}"} | schema).iter_errors(example)
        assert not (wrong := [error.message for error in found]), (name, wrong)
