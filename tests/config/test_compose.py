"""docker-compose.yml names every process of the product, and Compose accepts it."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docker-compose.yml"


def test_it_names_every_process() -> None:
    services = yaml.safe_load(FILE.read_text())["services"]
    assert set(services) >= {
        "kafka", "postgres", "redis", "web", "worker", "beat", "sampler", "connectors",
    }  # fmt: skip


def test_every_product_process_waits_for_the_migration() -> None:
    services = yaml.safe_load(FILE.read_text())["services"]
    for name in ("web", "worker", "beat", "sampler", "connectors"):
        condition = services[name]["depends_on"]["migrate"]["condition"]
        assert condition == "service_completed_successfully"


def has_compose() -> bool:
    if shutil.which("docker") is None:
        return False
    asked = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    return asked.returncode == 0


@pytest.mark.skipif(not has_compose(), reason="the docker client here has no compose")
def test_compose_accepts_it() -> None:
    subprocess.run(["docker", "compose", "-f", str(FILE), "config", "--quiet"], check=True)
