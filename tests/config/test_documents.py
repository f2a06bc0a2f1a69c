"""What the documents name exists, and what exists is documented."""

import re
import subprocess
from pathlib import Path

import pytest

from config import env, settings

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
MAKEFILE = (ROOT / "Makefile").read_text()


def documented_settings() -> dict[str, tuple[str, str]]:
    rows = re.findall(
        r"^\| `(\w+)` \| (.*?) \| (.*?) \|$", (ROOT / "docs/settings.md").read_text(), re.MULTILINE
    )
    return {name: (default, help_text) for name, default, help_text in rows}


def test_the_settings_page_lists_what_is_declared() -> None:
    assert settings.__name__ == "config.settings"
    assert sorted(documented_settings()) == sorted(env.DECLARED)


def test_the_settings_page_says_what_the_code_says() -> None:
    said = {name: help_text for name, (_, help_text) in documented_settings().items()}
    declared = {name: one.help.replace("|", r"\|") for name, one in env.DECLARED.items()}
    assert said == declared


@pytest.mark.parametrize("name", sorted(env.DECLARED))
def test_the_settings_page_gives_the_default(name: str) -> None:
    default = documented_settings()[name][0].strip("`")
    declared = env.DECLARED[name].default
    if str(ROOT) in declared or "sqlite3" in declared:
        assert default.endswith(Path(declared).name)
    else:
        assert default == (declared or "none")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_make_targets_that_a_document_names_exist(document: Path) -> None:
    named = set(re.findall(r"`make ([a-z]+)", document.read_text()))
    named |= set(re.findall(r"^make ([a-z]+)", document.read_text(), re.MULTILINE))
    targets = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
    assert named <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_of_a_document_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_make_alone_lists_every_target() -> None:
    shown = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony is not None
    assert {line.split()[0] for line in shown.splitlines()} == set(phony[1].split())
