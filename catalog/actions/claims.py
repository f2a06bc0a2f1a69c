"""Claims: somebody says that an actor of Kafka is a service, until a catalog file says so itself.

A claim adds exact patterns to the service's `recognised_by` and nothing else; evidence is never
touched. A declaration keeps precedence: where its patterns recognise the actor, the claim ends,
and the apply says so; where they are silent, the claim is kept, though the file names it not.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from catalog.actions.describe import find_service
from catalog.declaration.sections import Change, FieldChange
from catalog.errors import ClaimMissingError, ClaimRefusedError
from catalog.models import Claim, Service
from catalog.recognition import PATTERN_KEYS, Recogniser, exactly

Patterns = Mapping[str, Sequence[str]]
KindPattern = tuple[str, str]


def list_claims(*, ended: bool = False) -> QuerySet[Claim]:
    """Return the claims that stand, newest first; with `ended` all there ever were."""
    rows = Claim.objects.select_related("service").order_by("-claimed_at", "-pk")
    return rows if ended else rows.filter(ended_at=None)


def find_claim(number: int) -> Claim:
    """Return a claim that stands; raises ClaimMissingError."""
    found = list_claims().filter(pk=number).first()
    if found is None:
        raise ClaimMissingError(f"no claim {number} stands")
    return found


def claim(service: str, kind: str, name: str, *, names: Iterable[str] = (), by: str = "") -> Claim:
    """Let an actor be recognised as a service; `names` are what it matches, `name` by default.

    Raises ThingMissingError for the service, ClaimRefusedError where another recognises it.
    """
    key = PATTERN_KEYS.get(kind)
    if key is None:
        raise ClaimRefusedError(f"no pattern names a {kind}; known are {', '.join(PATTERN_KEYS)}")
    matched = list(names) or [name]
    with transaction.atomic():
        find_service(service)
        # all of them: the same actor may be claimed for another service meanwhile
        rows = list(Service.objects.select_for_update().order_by("pk"))
        row = next(each for each in rows if each.name == service)
        others = Recogniser(rows)
        for each in matched:
            found = others.service_of(kind, each)
            if found is not None:
                raise ClaimRefusedError(f"{kind} {each!r} is recognised as {found.name!r} already")
        patterns = [exactly(each) for each in matched]
        row.recognised_by = with_patterns(row.recognised_by, [(key, it) for it in patterns])
        row.save(update_fields=["recognised_by"])
        return Claim.objects.create(
            service=row,
            kind=kind,
            name=name,
            patterns=patterns,
            claimed_by=by[:200],
            claimed_at=timezone.now(),
        )


def withdraw(number: int, *, by: str = "") -> Claim:
    """Undo a claim: its patterns go, the actor is unresolved again. Raises ClaimMissingError."""
    with transaction.atomic():
        found = find_claim(number)
        row = Service.objects.select_for_update().get(pk=found.service_id)
        row.recognised_by = _without(row.recognised_by, _pairs(found))
        row.save(update_fields=["recognised_by"])
        _end(found, Claim.End.WITHDRAWN, by)
    return found


def _end(found: Claim, end: Claim.End, by: str) -> None:
    found.end, found.ended_by, found.ended_at = end, by[:200], timezone.now()
    found.save(update_fields=["end", "ended_by", "ended_at"])


def _pairs(found: Claim) -> list[KindPattern]:
    """The patterns of a claim with their keys in `recognised_by`."""
    return [(PATTERN_KEYS[found.kind], pattern) for pattern in found.patterns]


def with_patterns(recognised_by: Patterns, added: Iterable[KindPattern]) -> dict[str, list[str]]:
    """Return patterns with others added, each once."""
    found = {key: list(patterns) for key, patterns in recognised_by.items()}
    for key, pattern in added:
        if pattern not in found.setdefault(key, []):
            found[key].append(pattern)
    return found


def _without(recognised_by: Patterns, removed: Iterable[KindPattern]) -> dict[str, list[str]]:
    gone = set(removed)
    found = {
        key: [pattern for pattern in patterns if (key, pattern) not in gone]
        for key, patterns in recognised_by.items()
    }
    return {key: patterns for key, patterns in found.items() if patterns}


# -- when a file is applied -----------------------------------------------------------------------
def settle_claims(
    declared: Mapping[str, Patterns],
) -> tuple[dict[str, list[KindPattern]], list[Change]]:
    """End the claims that a declaration decides; return the patterns kept, by service, and changes.

    Called inside the transaction of an apply, before services are written. `declared` are the
    patterns of the services that the declaration names.
    """
    standing = list(list_claims())
    if not standing:
        return {}, []
    of_files = _recogniser_of_files(declared, standing)
    kept: dict[str, list[KindPattern]] = defaultdict(list)
    changes = []
    for each in standing:
        found = _declared_service(of_files, each)
        if found is None:
            kept[each.service.name] += _pairs(each)
            continue
        same = found.name == each.service.name
        _end(each, Claim.End.DECLARED if same else Claim.End.SUPERSEDED, "apply")
        row = Service.objects.get(pk=each.service_id)
        row.recognised_by = _without(row.recognised_by, _pairs(each))
        row.save(update_fields=["recognised_by"])
        was, now = f"{each.service.name} (claimed)", f"{found.name} (declared)"
        told = (FieldChange("service", was, now),)
        changes.append(Change("claim", f"{each.kind} {each.name}", "changed", told))
    return kept, changes


def _recogniser_of_files(declared: Mapping[str, Patterns], standing: Sequence[Claim]) -> Recogniser:
    """Return a recogniser of what files declare, now or earlier, without the claims."""
    claimed: dict[str, list[KindPattern]] = defaultdict(list)
    for each in standing:
        claimed[each.service.name] += _pairs(each)
    earlier = {row.name: row.recognised_by for row in Service.objects.all()}
    services = []
    for number, name in enumerate(sorted({*earlier, *declared})):
        patterns = declared.get(name)
        if patterns is None:
            patterns = _without(earlier[name], claimed[name])
        services.append(Service(pk=number, name=name, recognised_by=dict(patterns)))
    return Recogniser(services)


def _declared_service(of_files: Recogniser, found: Claim) -> Service | None:
    """The service that files make of a claimed actor: of any of its names."""
    for pattern in found.patterns:
        service = of_files.service_of(found.kind, _unescaped(pattern))
        if service is not None:
            return service
    return None


def _unescaped(pattern: str) -> str:
    """The name that an exact pattern stands for."""
    for each in "*?[":
        pattern = pattern.replace(f"[{each}]", each)
    return pattern
