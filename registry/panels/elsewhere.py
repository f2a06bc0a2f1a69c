"""The subjects of the same name in other contexts, and whether a version would fit there."""

from dataclasses import dataclass
from time import monotonic

from registry.actions.reading import versions_of
from registry.entities import SubjectVersion
from registry.models import Version
from registry.naming import SubjectName
from registry.panels.changes import compare
from registry.panels.fields import UNREADABLE, parsed_of
from registry.panels.history import read_earlier
from registry.panels.inheritance import Settings, settings_of

MOST_CONTEXTS = 8
LONGEST = 0.5
"""Seconds after which no further context is compared: what is left is said to be unknown."""


@dataclass(frozen=True)
class Elsewhere:
    """The same name in another context; `verdict` is what its level in force would say there.

    `same` is the live version there that has the very same schema (one GUID), if any.
    """

    subject: str
    context: str
    newest: int
    id: int
    level: str
    mode: str
    verdict: str
    same: int | None


def list_elsewhere(shown: SubjectVersion) -> list[Elsewhere]:
    """Compare a version with the subjects of its name in other contexts, by context."""
    until = monotonic() + LONGEST
    found = (
        _describe(shown, SubjectName(context, shown.subject.name), until)
        for context in _contexts_with(shown.subject)
    )
    return [each for each in found if each is not None]


def _contexts_with(name: SubjectName) -> list[str]:
    found = Version.objects.filter(subject__name=name.name, deleted_at__isnull=True)
    others = found.exclude(subject__context__name=name.context).order_by("subject__context__name")
    return list(others.values_list("subject__context__name", flat=True).distinct()[:MOST_CONTEXTS])


def _describe(shown: SubjectVersion, name: SubjectName, until: float) -> Elsewhere | None:
    rows = versions_of(name).order_by("-version")
    newest = rows.values_list("version", "schema__number").first()
    if newest is None:
        return None
    settings = settings_of(name)
    same = rows.filter(schema__guid=shown.schema.guid).values_list("version", flat=True).first()
    late = monotonic() > until
    verdict = "unknown" if late else _verdict(shown, name, settings)
    return Elsewhere(
        subject=str(name),
        context=name.context,
        newest=newest[0],
        id=newest[1],
        level=settings.level.value,
        mode=settings.mode.value,
        verdict="unchanged" if same else verdict,
        same=same,
    )


def _verdict(shown: SubjectVersion, name: SubjectName, settings: Settings) -> str:
    """What the level in force there says to the schema of here."""
    try:
        candidate = parsed_of(shown)
    except UNREADABLE:
        return "unknown"
    history = read_earlier(name, group=settings.group)
    base = next(((v, read) for v, read in history.schemas.items() if read is not None), None)
    if base is None:
        return "unknown"
    found = compare(candidate, base, history.schemas, settings.rules, unread=history.unread)
    return found.state_of(settings.rules.level)
