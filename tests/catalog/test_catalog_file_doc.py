"""docs/catalog-file.md tells every key, rule and verdict, and its example applies."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from catalog.actions import apply
from catalog.api.serializers import VERDICTS
from catalog.declaration import DeclarationInvalidError, read
from catalog.declaration.reading import KINDS
from catalog.declaration.sections import known_sections
from catalog.policies import POLICIES
from catalog.recognition import PATTERN_KEYS

DOC = (Path(settings.BASE_DIR) / "docs" / "catalog-file.md").read_text()


def _documented(section: str) -> set[str]:
    text = DOC.split(f"\n## `{section}`\n")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE))


def _known(tmp_path: Path, section: str) -> set[str]:
    """Ask the reader which keys it knows, by one that it cannot."""
    file = tmp_path / "x.yaml"
    file.write_text(f"{section}:\n- qqqqqqqq: 1\n")
    with pytest.raises(DeclarationInvalidError) as refused:
        read(file)
    (known,) = re.findall(r"known are (.*)", str(refused.value))
    return set(known.split(", "))


@pytest.mark.parametrize("section", ["clusters", "contexts", "services", "topics"])
def test_every_key_of_a_section_is_documented(tmp_path: Path, section: str) -> None:
    assert _documented(section) == _known(tmp_path, section)


def test_every_section_pattern_kind_rule_and_verdict_is_documented() -> None:
    assert all(f"\n## `{section}`\n" in DOC for section in known_sections())
    assert _documented("recognised_by") == set(PATTERN_KEYS.values())
    assert all(f"`{kind}`" in DOC for kind in KINDS)
    assert all(f"\n| `{rule}` |" in DOC for rule in POLICIES)
    assert all(f"\n| {verdict} |" in DOC for verdict in VERDICTS)


@pytest.mark.django_db
def test_the_example_applies(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    (example,) = re.findall(r"```yaml\n(.*?)```", DOC, re.DOTALL)
    file.write_text(example)
    assert {change.action for change in apply(read(file))} == {"created"}
