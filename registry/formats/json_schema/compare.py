"""Comparison of two models: what changed, and does all old data stay valid?

Every rule is a generator that yields the pairs whose verdict it needs. One loop runs them on a
stack of its own, so no nesting or chain of references exhausts the interpreter's, answers a pair
it has met before from memory, and counts the work.
"""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from registry.formats.contract import ComparisonTooLargeError, Difference, Policy
from registry.formats.json_schema.differences import Change, Path, compatible_kinds, describe
from registry.formats.json_schema.model import Node

# Pairs of sub-schemas compared for one verdict; about a second of work.
MAX_PAIRS = 60_000
# Changes listed for one pair; the first ones that break come first when there are more.
MAX_CHANGES = 200


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the update reads what the original wrote, and the changes between them."""

    compatible: bool
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two schemas to compare; None where one side has none."""

    original: Node | None
    update: Node | None


@dataclass(frozen=True, slots=True)
class Work:
    """Work that a rule is about to do by itself, as so many pairs."""

    pairs: int


Steps: TypeAlias = Generator[Pair | Work, Verdict, list[Change]]
Rule: TypeAlias = Callable[[Pair], Steps]
_FINE = Verdict(compatible=True, changes=())
# Stands for a recursive pair already found wanting; its own changes are listed where it stands.
_RECURSION = Change("RECURSION")


def compare(rule: Rule, original: Node, update: Node, policy: Policy) -> list[Difference]:
    """All changes between two schemas by a rule, judged under a policy."""
    comparison = _Comparison(rule, policy)
    changes = comparison.settle(Pair(original.followed(), update.followed())).changes
    return [
        describe(change, comparison.accepts(change))
        for change in dict.fromkeys(changes)
        if change.kind != _RECURSION.kind
    ]


def under(path: Path, changes: Iterable[Change]) -> list[Change]:
    """Changes of a part, seen from the whole."""
    return [change.under(path) for change in changes]


def excused(changes: Iterable[Change]) -> list[Change]:
    """What keeps a property from being covered: LENIENT accepts that, and so these."""
    return [Change(change.kind, change.path, excused=True) for change in changes]


class _Comparison:
    """The verdicts of one run: remembered by pair, and assumed where a pair contains itself."""

    def __init__(self, rule: Rule, policy: Policy) -> None:
        self._rule = rule
        self._policy = policy
        self._accepted = compatible_kinds(policy)
        self._verdicts: dict[Pair, Verdict] = {}
        self._disproved: set[Pair] = set()
        self._assumed: set[Pair] = set()
        self._pairs = 0

    def accepts(self, change: Change) -> bool:
        return change.kind in self._accepted or (change.excused and self._policy == "LENIENT")

    def settle(self, pair: Pair) -> Verdict:
        """Compare until no assumption about a recursive pair was wrong (a greatest fixpoint)."""
        while True:
            self._verdicts.clear()
            self._assumed.clear()
            verdict = self._run(pair)
            wrong = {pair for pair in self._assumed if not self._verdicts[pair].compatible}
            if wrong <= self._disproved:
                return verdict
            self._disproved |= wrong

    def _run(self, outermost: Pair) -> Verdict:
        stack = [self._enter(outermost)]
        running = {outermost}
        answer: Verdict | None = None
        while True:
            pair, steps = stack[-1]
            try:
                wanted = steps.send(answer) if answer is not None else next(steps)
            except StopIteration as finished:
                answer = self._verdicts[pair] = self._judge(finished.value)
                stack.pop()
                running.discard(pair)
                if not stack:
                    return answer
                continue
            if isinstance(wanted, Work):
                self._charge(wanted.pairs)
                answer = _FINE
                continue
            wanted = Pair(_behind(wanted.original), _behind(wanted.update))
            answer = self._verdicts.get(wanted)
            if answer is None and wanted in running:
                answer = self._assume(wanted)
            if answer is None:
                stack.append(self._enter(wanted))
                running.add(wanted)

    def _assume(self, pair: Pair) -> Verdict:
        self._assumed.add(pair)
        return (
            Verdict(compatible=False, changes=(_RECURSION,)) if pair in self._disproved else _FINE
        )

    def _enter(self, pair: Pair) -> tuple[Pair, Steps]:
        self._charge(1)
        return pair, self._rule(pair)

    def _charge(self, pairs: int) -> None:
        self._pairs += pairs
        if self._pairs > MAX_PAIRS:
            raise ComparisonTooLargeError(f"more than {MAX_PAIRS} pairs to compare")

    def _judge(self, changes: list[Change]) -> Verdict:
        compatible = all(map(self.accepts, changes))
        if len(changes) > MAX_CHANGES:
            changes = sorted(changes, key=self.accepts)[:MAX_CHANGES]
        return Verdict(compatible, tuple(changes))


def _behind(node: Node | None) -> Node | None:
    """The node a reference stands for: otherwise recursion would be met one turn late."""
    return None if node is None else node.followed()
