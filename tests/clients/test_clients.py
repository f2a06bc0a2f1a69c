"""Clients that other projects publish for JavaScript, Go and Rust find nothing missing here."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving import Served, serve

HERE = Path(__file__).parent
pytestmark = [pytest.mark.clients, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A registry by itself: `manage.py serve` over a fresh database, no Kafka."""
    with serve(tmp_path_factory.mktemp("clients")) as served:
        yield served


def _run(folder: Path, *command: str, **environment: str) -> str:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def javascript(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two npm clients, installed from their lock file."""
    folder = tmp_path_factory.mktemp("js")
    for file in (HERE / "js").glob("*.*"):
        shutil.copy(file, folder)
    _run(folder, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
    return folder


@pytest.mark.parametrize("script", ["confluent.mjs", "kafkajs.mjs"])
def test_javascript(registry: Served, javascript: Path, script: str) -> None:
    assert _run(javascript, "node", script, registry.url).endswith("ok\n")


def test_go(registry: Served) -> None:
    assert _run(HERE / "go", "go", "run", ".", registry.url) == "ok\n"


def test_rust(registry: Served, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("rust") / "clients"
    shutil.copytree(HERE / "rust", folder, ignore=shutil.ignore_patterns("target"))
    # what is compiled once serves the next run; line numbers of dependencies serve nobody
    kept = {"CARGO_TARGET_DIR": str(HERE / "rust" / "target"), "CARGO_PROFILE_DEV_DEBUG": "0"}
    assert _run(folder, "cargo", "run", "--quiet", "--", registry.url, **kept) == "ok\n"
