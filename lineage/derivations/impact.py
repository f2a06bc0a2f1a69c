"""What changing or dropping a topic, a schema version or a field reaches, and whom to ask."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lineage.actions import find_node
from lineage.derivations.actions import Known, read_near
from lineage.derivations.candidates import Candidate, Verdict, judge, topics_of_version
from lineage.derivations.derivation import Derivation, Input
from lineage.derivations.effects import CHANGES, effect
from lineage.derivations.errors import ImpactInvalidError
from lineage.derivations.fields import FieldMap
from lineage.derivations.flows import Flow, Place
from lineage.derivations.owners import Contact, Owners
from lineage.derivations.reach import Reach, Reached, merged
from lineage.edges import Node
from lineage.errors import NodeMissingError


@dataclass(frozen=True)
class Question:
    """What would be changed: a node (and a field of it), or a subject (and a version of it).

    `change` is one of CHANGES; `schema` a candidate, whose differences say what changes.
    """

    of: str = ""
    subject: str = ""
    version: str = ""
    field: str = ""
    change: str = ""
    schema: str = ""
    format: str = ""
    as_of: datetime | None = None
    cluster: str | None = None


@dataclass(frozen=True)
class Affected:
    """A thing that the change reaches, what becomes of it, and whom to ask."""

    reached: Reached
    effect: str
    contact: Contact

    @property
    def node(self) -> Node:
        """The thing."""
        return self.reached.node


@dataclass(frozen=True)
class Writer:
    """Who writes what would be changed."""

    node: Node
    contact: Contact


@dataclass(frozen=True)
class Ask:
    """An owner to ask, and what he answers for; the empty one: the catalog names nobody."""

    owner: str
    about: tuple[str, ...]


@dataclass(frozen=True)
class Impact:
    """The answer: everything reached, nearest first; the verdict when a candidate was given."""

    question: Question
    starts: tuple[Node, ...]
    change: str
    fields: tuple[str, ...]
    affected: tuple[Affected, ...]
    writers: tuple[Writer, ...]
    verdict: Verdict | None = None
    asks: tuple[Ask, ...] = field(default=())

    @property
    def counts(self) -> dict[str, int]:
        """How many services, actors, topics, copies, fields and contexts it reaches."""
        kinds = Counter[str](it.node.kind for it in self.affected)
        return {
            "services": kinds["service"],
            "actors": kinds["actor"],
            "topics": kinds["topic"],
            "copies": kinds["copy"],
            "fields": sum(len(it.reached.fields) for it in self.affected),
            "contexts": len(self.contexts),
        }

    @property
    def contexts(self) -> list[str]:
        """The bounded contexts that it reaches."""
        return sorted({it.node.context for it in self.affected if it.node.context})


def find_impact(question: Question) -> Impact:
    """Answer. Raises NodeMissingError, ImpactInvalidError, and the registry's errors."""
    if bool(question.of) == bool(question.subject):
        raise ImpactInvalidError("give one: `of` (a node) or `subject` (and a version)")
    if question.change and question.change not in CHANGES:
        raise ImpactInvalidError(f"{question.change!r} is none of {', '.join(CHANGES)}")
    names = [question.of] if question.of else _topics_of(question)
    known = read_near(names, ["downstream"], None, question.as_of, question.cluster)
    starts = _starts(question, known)
    verdict = _verdict(question, starts)
    changed = _changed(question, verdict)
    flows = FieldMap(known, question.as_of)
    if question.field:
        _check_field(question.field, starts, flows)

    def between(each: Derivation, it: Input) -> list[Flow]:
        return flows.between(each, it.node.name)

    reach = Reach(known.edges, known.derivations, between)
    found = merged(reach.of(node, changed) for start in starts for node in _streams(start, known))
    found = [it for it in found if it.node not in starts]
    return _answer(question, starts, known, verdict, changed, found)


def _answer(
    question: Question,
    starts: Sequence[Node],
    known: Known,
    verdict: Verdict | None,
    changed: Sequence[str] | None,
    found: Sequence[Reached],
) -> Impact:
    writing = {
        edge.source
        for edge in known.edges
        if edge.target in starts and edge.target.kind == "topic" and edge.source.kind != "topic"
    }
    owners = Owners([*(it.node for it in found), *writing, *starts])
    change = _kind_of(question, verdict, changed)
    affected = tuple(
        Affected(it, effect(change, it.node, of_field=changed is not None), owners.of(it.node))
        for it in found
    )
    writers = tuple(Writer(node, owners.of(node)) for node in sorted(writing))
    return Impact(
        question,
        tuple(starts),
        change,
        tuple(changed or ()),
        affected,
        writers,
        verdict,
        _asks([*affected, *writers]),
    )


def _starts(question: Question, known: Known) -> list[Node]:
    if question.of:
        return [find_node(question.of, known.edges)]
    names = topics_of_version(question.subject, question.version)
    observed = {node for edge in known.edges for node in (edge.source, edge.target)}
    found = [node for node in observed if node.kind == "topic" and node.name in names]
    if not found:
        raise NodeMissingError(
            f"no topic of the subject {question.subject!r} was observed"
            + (f" (it belongs to {', '.join(names)})" if names else "")
        )
    return sorted(found)


def _topics_of(question: Question) -> list[str]:
    return [f"topic:{it}" for it in topics_of_version(question.subject, question.version)]


def _streams(start: Node, known: Known) -> list[Node]:
    """A topic itself; of a service or actor what it writes."""
    if start.kind not in {"service", "actor"}:
        return [start]
    return sorted({edge.target for edge in known.edges if edge.source == start})


def _verdict(question: Question, starts: Sequence[Node]) -> Verdict | None:
    if not question.schema:
        return None
    topics = [node.name for node in starts if node.kind == "topic"]
    if not topics:
        raise ImpactInvalidError("a candidate schema needs a topic or a subject")
    return judge(
        Candidate(question.schema, question.format, question.subject), topics[0], question.as_of
    )


def _changed(question: Question, verdict: Verdict | None) -> list[str] | None:
    """The fields that change; None when the whole of it does."""
    if question.field:
        return [question.field]
    if verdict is not None:
        return list(verdict.noticed)
    return None


def _check_field(field: str, starts: Sequence[Node], flows: FieldMap) -> None:
    """Refuse a field that a topic's schema does not have: a misspelt one reaches nothing."""
    for node in starts:
        own = [it.path for it in flows.fields(node.name)] if node.kind == "topic" else []
        own += [it.source.field for it in flows.out_of(Place(node.kind, node.name, ""))]
        if not own or any(name == field or name.startswith(f"{field}.") for name in own):
            return
    names = ", ".join(dict.fromkeys(own))
    raise ImpactInvalidError(f"{starts[0].key} has no field {field!r}; it has {names}")


def _kind_of(question: Question, verdict: Verdict | None, changed: Sequence[str] | None) -> str:
    """The kind of change that was asked for, or that all of a candidate's differences have."""
    if question.change:
        return question.change
    if changed is None:
        return "drop"
    kinds = set(verdict.noticed.values()) if verdict else set()
    return kinds.pop() if len(kinds) == 1 else "alter"


def _asks(found: Sequence[Affected | Writer]) -> tuple[Ask, ...]:
    """Group by owner; those for which the catalog names nobody come last, together."""
    about: dict[str, dict[str, None]] = {}
    for it in found:
        about.setdefault(it.contact.owner, {})[it.node.key] = None
    ordered = sorted(about.items(), key=lambda each: (not each[0], each[0]))
    return tuple(Ask(owner, tuple(keys)) for owner, keys in ordered)
