"""Requests generated from the API's description, all phases of schemathesis, a served product."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving import ROOT, Served, serve

HERE = Path(__file__).parent
# a twin below a context is the same view
ROOTED = r"^/(?!contexts/\{context\}/.)"
SEED = "20250101"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The product over a fresh database, with a KMS for shared keys."""
    with serve(tmp_path_factory.mktemp("served"), LOCAL_KMS_SECRET="fuzz") as running:
        yield running


def fuzz(served: Served, report: Path, *options: str) -> Counter[str]:
    """Run schemathesis; answer how many requests each phase made. Any failure fails the test."""
    arguments = [sys.executable, "-m", "schemathesis.cli"]
    arguments += ["--config-file", str(HERE / "schemathesis.toml")]
    arguments += ["run", f"{served.url}/api/openapi.json", "--seed", SEED, *options]
    arguments += ["--report", "ndjson", "--report-ndjson-path", str(report)]
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "tests.fuzz.checks",
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
    }
    done = subprocess.run(
        arguments, cwd=report.parent, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-5_000:]
    assert served.process.poll() is None
    return _count(report)


def _count(report: Path) -> Counter[str]:
    counted: Counter[str] = Counter()
    with report.open() as events:
        for line in events:
            finished = json.loads(line).get("ScenarioFinished")
            if finished:
                counted[finished["phase"]] += len(finished["recorder"].get("interactions", ()))
    return counted


@pytest.mark.timeout(150)
def test_a_few_hundred_requests(served: Served, tmp_path: Path) -> None:
    phases = "examples,fuzzing,stateful"
    counted = fuzz(
        served, tmp_path / "short", "--phases", phases, "-n", "1", "--generation-deterministic"
    )
    assert sum(counted.values()) >= 300, counted


@pytest.mark.fuzz
@pytest.mark.timeout(1800)
def test_every_phase_in_thousands(served: Served, tmp_path: Path) -> None:
    phases = "examples,coverage,fuzzing,stateful"
    counted = fuzz(
        served, tmp_path / "all", "--phases", phases, "-n", "25", "--include-path-regex", ROOTED
    )
    assert len([phase for phase in counted if counted[phase]]) == 4, counted
    assert sum(counted.values()) >= 2000, counted


@pytest.mark.fuzz
@pytest.mark.timeout(1800)
def test_below_a_context(served: Served, tmp_path: Path) -> None:
    counted = fuzz(
        served, tmp_path / "twins", "--phases", "examples,fuzzing,stateful", "-n", "10",
        "--exclude-path-regex", ROOTED,
    )  # fmt: skip
    assert sum(counted.values()) >= 500, counted
