"""A schema as a client sends it, and its parsing with limits and references."""

from dataclasses import dataclass

from registry import formats
from registry.actions.parsing import check_new, parse_cached
from registry.actions.reading import resolve_references
from registry.data_contract import Values
from registry.errors import SchemaRefusedError
from registry.formats.contract import Parsed, SchemaInvalidError
from registry.identity import Reference
from registry.limits import check_size


@dataclass(frozen=True)
class Submission:
    """What a client sends; `text` may be empty when only metadata or rules change.

    `force` registers what is incompatible; `propagate_tags` keeps the latest version's inline tags.
    """

    text: str = ""
    format: str = "AVRO"
    references: tuple[Reference, ...] = ()
    metadata: Values | None = None
    ruleset: Values | None = None
    id: int | None = None
    version: int | None = None
    normalize: bool = False
    force: bool = False
    propagate_tags: bool = False


def parse_submission(submission: Submission, context: str, *, new: bool = True) -> Parsed:
    """Check limits, resolve references and parse; SchemaRefusedError says what is wrong.

    What is not `new`, looked up or imported, need only be readable.
    """
    kind = submission.format
    if kind not in formats.NAMES:
        raise SchemaRefusedError(f"Invalid schema type {kind}")
    check_size(submission.text)
    dependencies = resolve_references(submission.references, context)
    try:
        parsed = parse_cached(kind, submission.text, dependencies)
        if new:
            check_new(parsed)
    except SchemaInvalidError as wrong:
        raise SchemaRefusedError(f"Invalid schema of type {kind}, details: {wrong}") from wrong
    except RecursionError:
        message = f"Invalid schema of type {kind}, details: nested too deeply"
        raise SchemaRefusedError(message) from None
    return parsed
