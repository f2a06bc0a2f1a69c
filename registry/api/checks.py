"""/compatibility: would this schema be accepted?"""

from registry import actions
from registry.actions.compatibility import Judgement
from registry.api.boundary import Call
from registry.api.paths import subject_at
from registry.api.shapes import Json, read_submission
from registry.errors import SchemaRefusedError


def check_version(call: Call, subject: str, version: str, context: str = "") -> Json:
    """POST /compatibility/subjects/{s}/versions/{v}."""
    return _check(call, subject, version, context)


def check_history(call: Call, subject: str, context: str = "") -> Json:
    """POST /compatibility/subjects/{s}/versions."""
    return _check(call, subject, None, context)


def _check(call: Call, subject: str, version: str | None, context: str) -> Json:
    name = subject_at(subject, context)
    verbose = call.flag("verbose")
    if version is not None:
        actions.reading.read_version(version)
    try:
        submission = read_submission(call.body(), name.context, normalize=call.flag("normalize"))
        verdict = actions.check_submission(name, submission, version)
    except SchemaRefusedError as refused:
        if not verbose:
            raise
        verdict = Judgement(compatible=False, messages=(str(refused),))
    shown: Json = {"is_compatible": verdict.compatible}
    return shown | ({"messages": list(verdict.messages)} if verbose else {})
