"""Registrations, deletions, configs, modes and imports in any order, against a model."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.registry.conftest import Registry

SUBJECTS = st.sampled_from(["a", "b"])
TEXTS = st.sampled_from(['"int"', '"long"', '"string"'])
VERSIONS = st.integers(1, 5)
READABLE = {('"int"', '"long"')}
"""Beside equal ones: what was written with the first is read with the second."""


@dataclass
class Row:
    """One version."""

    id: int
    text: str
    deleted: bool = False


@dataclass
class Model:
    """What the registry should hold."""

    rows: dict[str, dict[int, Row]] = field(default_factory=lambda: {"a": {}, "b": {}})
    first: dict[str, int] = field(default_factory=dict)
    """The id that a text has on its own; an import may give it more."""
    next_id: int = 1
    level: dict[str, str] = field(default_factory=dict)
    mode: dict[str, str] = field(default_factory=dict)

    def live(self, subject: str) -> dict[int, Row]:
        return {at: row for at, row in self.rows[subject].items() if not row.deleted}

    def ids(self) -> dict[int, str]:
        return {row.id: row.text for rows in self.rows.values() for row in rows.values()}

    def forget(self, subject: str) -> None:
        """What goes with the last live version, and with the last version of an id."""
        if not self.live(subject):
            self.level.pop(subject, None)
            self.mode.pop(subject, None)
        kept = self.ids()
        self.first = {text: number for text, number in self.first.items() if number in kept}

    def register(self, subject: str, text: str, given: int | None) -> tuple[int, int]:
        """The status, and the id or the error code.

        What is registered again takes the place of its softly deleted versions.
        """
        mode = self.mode.get(subject, "READWRITE")
        same = [row for _, row in sorted(self.live(subject).items()) if row.text == text]
        if same and given in {None, same[-1].id}:
            return 200, same[-1].id
        if mode == "READONLY" or (mode == "IMPORT") != (given is not None):
            return 422, 42205
        if same:
            return 422, 42207
        if mode != "IMPORT" and not self._reads_latest(subject, text):
            return 409, 40901
        number = self.first.get(text) if given is None else given
        if number is None:
            number = self.next_id
        elif self.ids().get(number, text) != text:
            return 422, 42205
        self.first.setdefault(text, number)
        self.next_id = max(self.next_id, number + 1)
        following = max(self.rows[subject], default=0) + 1
        self.rows[subject] = {
            at: row
            for at, row in self.rows[subject].items()
            if not (row.deleted and row.id == number)
        }
        self.rows[subject][following] = Row(number, text)
        return 200, number

    def _reads_latest(self, subject: str, text: str) -> bool:
        live = self.live(subject)
        if not live or self.level.get(subject, "BACKWARD") == "NONE":
            return True
        latest = live[max(live)].text
        return latest == text or (latest, text) in READABLE


class Machine(RuleBasedStateMachine):
    """The same steps to the registry and to the model."""

    def __init__(self) -> None:
        super().__init__()
        self.registry, self.model = Registry(), Model()
        self._undone = transaction.atomic()
        self._undone.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self._undone.__exit__(None, None, None)

    def _expect(self, call: tuple[str, str, Any], status: int, found: Any) -> None:
        answered, body = self.registry.call(*call)
        said = body["error_code"] if answered != 200 else body
        assert (answered, said) == (status, found), (call, body)

    @rule(subject=SUBJECTS, text=TEXTS, given=st.none() | st.integers(1, 8))
    def register(self, subject: str, text: str, given: int | None) -> None:
        """With an id, too, which only an import may name."""
        status, found = self.model.register(subject, text, given)
        body = {"schema": text} | ({} if given is None else {"id": given})
        answered, said = self.registry.call("POST", f"/subjects/{subject}/versions", body)
        assert answered == status, (body, said, found)
        assert said["id" if status == 200 else "error_code"] == found, (body, said)

    @rule(subject=SUBJECTS, permanent=st.booleans())
    def delete_subject(self, subject: str, permanent: bool) -> None:
        """Softly, then for good."""
        rows, live = self.model.rows[subject], self.model.live(subject)
        doomed = sorted(rows if permanent else live)
        path = f"/subjects/{subject}{'?permanent=true' if permanent else ''}"
        call = ("DELETE", path, None)
        if not rows:
            return self._expect(call, 404, 40401)
        if not permanent and not live:
            return self._expect(call, 404, 40404)
        if self.model.mode.get(subject) == "READONLY":
            return self._expect(call, 422, 42205)
        if permanent and live:
            return self._expect(call, 404, 40405)
        self._expect(call, 200, doomed)
        return self._delete(subject, doomed, permanent)

    @rule(subject=SUBJECTS, version=VERSIONS, permanent=st.booleans())
    def delete_version(self, subject: str, version: int, permanent: bool) -> None:
        """Softly, then for good."""
        rows = self.model.rows[subject]
        path = f"/subjects/{subject}/versions/{version}{'?permanent=true' if permanent else ''}"
        call = ("DELETE", path, None)
        if version not in rows:
            return self._expect(call, 404, 40402 if rows else 40401)
        if not permanent and rows[version].deleted:
            return self._expect(call, 404, 40406)
        if self.model.mode.get(subject) == "READONLY":
            return self._expect(call, 422, 42205)
        if permanent and not rows[version].deleted:
            return self._expect(call, 404, 40407)
        self._expect(call, 200, version)
        return self._delete(subject, [version], permanent)

    def _delete(self, subject: str, versions: list[int], permanent: bool) -> None:
        for version in versions:
            if permanent:
                del self.model.rows[subject][version]
            else:
                self.model.rows[subject][version].deleted = True
        self.model.forget(subject)

    @rule(subject=SUBJECTS, level=st.sampled_from(["NONE", "BACKWARD"]))
    def set_level(self, subject: str, level: str) -> None:
        """Refused where nothing may be written."""
        call = ("PUT", f"/config/{subject}", {"compatibility": level})
        if self.model.mode.get(subject) == "READONLY":
            return self._expect(call, 422, 42205)
        self.model.level[subject] = level
        return self._expect(call, 200, {"compatibility": level})

    @rule(subject=SUBJECTS, mode=st.sampled_from(["READWRITE", "READONLY", "IMPORT"]))
    def set_mode(self, subject: str, mode: str) -> None:
        """An import begins where nothing lives, and goes on where it began."""
        call = ("PUT", f"/mode/{subject}", {"mode": mode})
        begins = mode == "IMPORT" and self.model.mode.get(subject) != "IMPORT"
        if begins and self.model.live(subject):
            return self._expect(call, 422, 42205)
        self.model.mode[subject] = mode
        return self._expect(call, 200, {"mode": mode})

    @rule(subject=SUBJECTS)
    def delete_mode(self, subject: str) -> None:
        """Back to what all have."""
        call = ("DELETE", f"/mode/{subject}", None)
        mode = self.model.mode.pop(subject, None)
        if mode is None:
            return self._expect(call, 404, 40401)
        return self._expect(call, 200, {"mode": mode})

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        """Every version, live or not, its id, and the text of each id."""
        for subject, rows in self.model.rows.items():
            live = sorted(self.model.live(subject))
            listed = ("GET", f"/subjects/{subject}/versions", None)
            self._expect(listed, *((200, live) if live else (404, 40401)))
            for version, row in rows.items():
                path = f"/subjects/{subject}/versions/{version}?deleted=true"
                found = self.registry.get(path)
                assert (found["id"], found["schema"]) == (row.id, row.text)
                assert self.registry.get(f"/schemas/ids/{row.id}")["schema"] == row.text


def _run(machine: type[Machine], examples: int, steps: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )


@pytest.mark.django_db
def test_no_divergence_in_short() -> None:
    _run(Machine, 4, 25)


@pytest.mark.faults
@pytest.mark.django_db
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("number", range(20))
def test_no_divergence_in_two_thousand_steps(number: int) -> None:
    seeded = seed(number)(type(f"Machine{number}", (Machine,), {}))
    _run(seeded, 20, 100)
