"""docs/connectors.md tells every key, option, mode and mask, and its examples hold."""

import re
from pathlib import Path

import yaml
from django.conf import settings

from lineage.connectors.declared_columns import MASKS, OPTIONS
from lineage.connectors.definition import KEYS, check
from lineage.connectors.expressions import compiled
from lineage.connectors.expressions.casts import PARTS, UNITS
from lineage.connectors.expressions.functions import FUNCTIONS
from lineage.connectors.schedules import WHAT, check_when
from tests.lineage.connectors.test_expressions import PLAN

DOC = (Path(settings.BASE_DIR) / "docs" / "connectors.md").read_text()


def section(title: str, level: str = "##") -> str:
    return DOC.split(f"\n{level} {title}\n")[1].split("\n## ")[0]


def rows(text: str, head: str) -> set[str]:
    """The words in the first cells of the table with this head."""
    table = text.split(f"| {head}")[1].partition("\n\n")[0]
    return set(re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE))


def test_every_key_is_documented_and_no_other() -> None:
    assert rows(section("Keys"), "key |") == set(KEYS)
    assert rows(section("`schedule`"), "key |") == set(WHAT)
    assert rows(section("`mode`"), "mode |") == {"table", "events", "history"}


def test_every_option_of_a_column_is_documented_and_no_other() -> None:
    columns = section("`columns`").partition("\n### ")[0]
    assert rows(columns, "option |") == set(OPTIONS)
    assert rows(columns, "a column may be |") == {"keep", "drop", "json"}
    assert rows(section("Masks", "###").partition("\n### ")[0], "mask |") == set(MASKS)


def test_the_example_is_a_definition() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", DOC, re.DOTALL)
    (declared,) = yaml.safe_load(example)["connectors"]
    definition = check(declared)
    assert {rule.kind for rule in definition.columns.rules} == {
        "field", "drop", "constant", "expression",
    }  # fmt: skip


def test_every_interval_and_cron_named_can_be_used() -> None:
    for when in ("0 3 * * 0", *re.findall(r"`(\d+[a-z])`", section("`schedule`"))):
        check_when(when)


def test_functions_named_are_those_there_are() -> None:
    table = section("Expressions", "###")
    for name in ("abs", "floor", "ceil"):
        assert f"`{name}`" in table
        compiled(f"{name}(n)", PLAN)
    for name in FUNCTIONS:
        assert f"`{name}" in table
    assert "date_trunc('month'" in table
    assert "extract(year" in table
    assert {"month"} <= set(UNITS)
    assert {"year"} <= set(PARTS)
    types = re.findall(r"`([a-z ]+(?:\(p, s\))?)`", table.split("`x::type`: ")[1].split(" |")[0])
    assert len(types) == 11
    for kind in types:
        compiled(f"cast(null as {kind.replace('(p, s)', '(9, 2)')})", PLAN)
