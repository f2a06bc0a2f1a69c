"""What can be done with the registry; pages, the REST API, commands and tasks call these."""

from registry.actions.compatibility import (
    Candidate,
    Judgement,
    check_compatibility,
    check_submission,
    differences,
    judge,
)
from registry.actions.lookup import look_up
from registry.actions.reading import (
    find_schema,
    find_version,
    list_referrers,
    list_subjects,
    list_versions,
    parsed,
)
from registry.actions.register import register
from registry.actions.scopes import config_in_scope, mode_in_scope
from registry.actions.submission import Submission, parse_submission

__all__ = [
    "Candidate",
    "Judgement",
    "Submission",
    "check_compatibility",
    "check_submission",
    "config_in_scope",
    "differences",
    "find_schema",
    "find_version",
    "judge",
    "list_referrers",
    "list_subjects",
    "list_versions",
    "look_up",
    "mode_in_scope",
    "parse_submission",
    "parsed",
    "register",
]
