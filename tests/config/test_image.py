"""The image can open every kind of target: it installs what the extras ask for, hash-locked."""

import re
import tomllib
from pathlib import Path

import pytest
from django.conf import settings

from lineage.connectors.sinks.kinds import KINDS

ROOT = Path(settings.BASE_DIR)
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
_NAME = re.compile(r"^[A-Za-z0-9._-]+")


def locked(name: str) -> dict[str, str]:
    """What a file of requirements locks, each with its version."""
    text = (ROOT / "requirements" / name).read_text()
    found = re.findall(r"^([\w.-]+)==(\S+) \\$(?=\n    --hash=sha256:)", text, re.MULTILINE)
    return {name.lower(): version for name, version in found}


def installed() -> dict[str, str]:
    """What the image installs."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    (line,) = [line for line in lines if "--require-hashes" in line]
    files = re.findall(r"-r requirements/(\S+)", line)
    assert re.search(rf"^COPY .*{'.*'.join(files)}", "\n".join(lines), re.MULTILINE)
    return {name: version for file in files for name, version in locked(file).items()}


@pytest.mark.parametrize("extra", sorted(EXTRAS))
def test_the_image_has_every_extra(extra: str) -> None:
    wanted = {match[0].lower() for each in EXTRAS[extra] if (match := _NAME.match(each))}
    assert wanted <= installed().keys()


def test_every_kind_that_needs_packages_has_an_extra_of_them() -> None:
    for kind in KINDS.values():
        assert not kind.extra or {*kind.modules} <= {
            match[0].lower() for each in EXTRAS[kind.extra] if (match := _NAME.match(each))
        }


def test_tests_run_on_the_versions_of_the_image() -> None:
    extras, dev = locked("extras.txt"), locked("dev.txt")
    assert extras
    assert {name: dev.get(name) for name in extras} == extras
