"""What schemathesis holds against every answer, beside its own checks."""

from typing import Any

import schemathesis
from schemathesis.specs.openapi.checks import ensure_resource_availability

KMS_OUT_OF_REACH = 50070


@schemathesis.check
def answers_no_failure(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """No 5xx, but Confluent's 50070 where the client names a KMS that the server has not."""
    if response.status_code >= 500:
        assert response.json().get("error_code") == KMS_OUT_OF_REACH, response.text


@schemathesis.check
def answers_in_time(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """No generated request takes the server seconds."""
    assert response.elapsed <= 2, response.elapsed


@schemathesis.check
def answers_what_was_created(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> bool | None:
    """What was created is there, but for a key that was created as softly deleted (`deleted`)."""
    parent = ctx.internals.find_parent(case_id=case.id)
    if parent is not None and isinstance(parent.body, dict) and parent.body.get("deleted") is True:
        return None
    return ensure_resource_availability(ctx, response, case)
