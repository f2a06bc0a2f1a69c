"""Finding a node by a part of its name, without resolving any edge."""

from dataclasses import dataclass

from django.db.models import Q

from catalog.models import BoundedContext, Service
from catalog.recognition import recogniser
from lineage.identity import copy_of
from lineage.models import Edge

MOST_FOUND = 12
_SEARCHED = 60
_ACTORS = ("group", "transactional_id", "client_id", "source", "producer_id")


@dataclass(frozen=True)
class Found:
    """A node that a text fits: its key, kind and name."""

    key: str
    kind: str
    name: str


def find_names(text: str) -> tuple[list[Found], bool]:
    """Return nodes whose name holds `text`, and whether there are more than are returned.

    Names that begin with it come first, then shorter ones. A raw name that is recognised as a
    service is found as that.
    """
    words = text.strip().rpartition(":")[2].strip() or text.strip()
    if not words:
        return [], False
    found: dict[str, Found] = {}
    for it in [*_services(words), *_raw(words)]:
        found.setdefault(it.key, it)
    ranked = sorted(
        found.values(),
        key=lambda it: (
            it.name.lower() != words.lower(),
            not it.name.lower().startswith(words.lower()),
            len(it.name),
            it.key,
        ),
    )
    return ranked[:MOST_FOUND], len(ranked) > MOST_FOUND


def _services(words: str) -> list[Found]:
    names = Service.objects.filter(name__icontains=words).order_by("name")
    found = [
        Found(f"service:{name}", "service", name)
        for name in names.values_list("name", flat=True)[:_SEARCHED]
    ]
    contexts = BoundedContext.objects.filter(name__icontains=words).order_by("name")
    return found + [
        Found(f"context:{name}", "context", name)
        for name in contexts.values_list("name", flat=True)[:_SEARCHED]
    ]


def _raw(words: str) -> list[Found]:
    raw: set[tuple[str, str]] = set()
    for end in ("source", "target"):
        fits = Q(**{f"{end}_name__icontains": words})
        rows = Edge.objects.filter(fits).order_by().values_list(f"{end}_kind", f"{end}_name")
        raw.update(rows.distinct()[:_SEARCHED])
    known = recogniser() if any(kind in _ACTORS for kind, _ in raw) else None
    found = []
    for kind, name in sorted(raw):
        if kind == "topic":
            found.append(Found(f"topic:{name}", "topic", name))
        elif copy := copy_of(kind, name):
            found.append(Found(f"copy:{copy}", "copy", copy))
        elif known and (service := known.service_of(kind, name)):
            found.append(Found(f"service:{service.name}", "service", service.name))
        else:
            found.append(Found(f"{kind}:{name}", kind.replace("_", " "), name))
    return found
