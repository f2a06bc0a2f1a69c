"""Fields followed through renaming, flattening and constants; and what may be inferred."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.derivations.flows import (
    ColumnSource,
    Flow,
    Place,
    TypedField,
    compatible,
    copied,
    follow,
    matched,
)

NAMES = st.sampled_from(["id", "amount", "customer", "customer.id", "customer.name", "note"])


@st.composite
def columns(draw: st.DrawFn) -> list[ColumnSource]:
    """Columns that copy, rename, flatten, compute from several fields, or hold a constant."""
    found = []
    for number, fields in enumerate(draw(st.lists(st.lists(NAMES, max_size=3), max_size=6))):
        words = ("constant", "renamed", "expression")[min(len(fields), 2)]
        found.append(ColumnSource(f"c{number}", tuple(dict.fromkeys(fields)), words))
    return found


ALL = ["id", "amount", "customer", "customer.id", "customer.name", "note"]


@given(columns(), NAMES)
def test_a_field_reaches_exactly_the_columns_made_from_it(
    made: list[ColumnSource], field: str
) -> None:
    flows = list(copied("t", "c", made, ALL))
    steps = follow(Place("topic", "t", field), lambda _: flows, "downstream", 5)
    reached = {step.flow.target.field for step in steps}
    expected = {
        each.column
        for each in made
        if any(
            name == field or name.startswith(f"{field}.") or field.startswith(f"{name}.")
            for name in each.fields
        )
    }
    assert reached == expected
    for each in made:
        origins = follow(Place("copy", "c", each.column), lambda _: flows, "upstream", 5)
        if each.transformation == "constant":
            assert origins == []
            assert each.column not in reached
        assert set(each.fields) <= {step.flow.source.field for step in origins}


@given(st.permutations(["a", "b", "c", "d", "e"]), st.integers(1, 6))
def test_renaming_at_each_step_is_followed_and_counted(order: list[str], depth: int) -> None:
    places = [Place("topic", f"t{number}", name) for number, name in enumerate(order)]
    flows = [Flow(one, other, "renamed", "told", "", "") for one, other in pairwise(places)]
    steps = follow(places[0], lambda _: flows, "downstream", depth)
    assert [step.flow.target for step in steps] == places[1 : depth + 1]
    assert [step.distance for step in steps] == list(range(1, min(depth, 4) + 1))
    back = follow(places[-1], lambda _: flows, "upstream", 9)
    assert [step.flow.source for step in back] == places[-2::-1]


def test_what_a_job_told_of_a_record_goes_for_its_fields() -> None:
    flow = Flow(Place("topic", "t", "customer"), Place("copy", "c", "who"), "", "told", "", "")
    assert follow(Place("topic", "t", "customer.id"), lambda _: [flow], "downstream", 1)
    assert not follow(Place("topic", "t", "cust"), lambda _: [flow], "downstream", 1)


def test_same_names_and_fitting_types_are_inferred() -> None:
    read = [TypedField("id", "long"), TypedField("customer.id", "string"), TypedField("n", "int")]
    written = [
        TypedField("id", "null | int"),
        TypedField("customer_id", "string (uuid)"),
        TypedField("n", "string"),
    ]
    found = {
        (flow.source.field, flow.target.field): flow
        for flow in matched("a", read, "b", written, "service:s")
    }
    assert set(found) == {("id", "id"), ("customer.id", "customer_id")}
    assert all(flow.inferred for flow in found.values())
    assert found["id", "id"].transformation == "same name"
    assert found["customer.id", "customer_id"].transformation == "flattened or nested"


@pytest.mark.parametrize(
    ("one", "other", "fits"),
    [
        ("int", "long (timestamp-millis)", True),
        ("null | string", "string", True),
        ("string, null", "text", True),
        ("array<string>", "array<enum>", True),
        ("array<string>", "string", False),
        ("repeated int64", "array<long>", True),
        ("map<int>", "array<int>", False),
        ("x.Customer", "object", True),
        ("x.Customer", "string", False),
        ("boolean", "int", False),
        ("bytes (decimal(10, 2))", "null | bytes", True),
        ("null", "null", False),
    ],
)
def test_types_fit_by_families(one: str, other: str, fits: bool) -> None:
    assert compatible(one, other) is fits
    assert compatible(other, one) is fits
