"""A served web for tests that need another process: `manage.py serve` over its own database."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.ports import free_port

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Served:
    """A running web server, its address and its environment."""

    url: str
    process: subprocess.Popen[bytes]
    environment: Mapping[str, str]


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def serve(folder: Path, **environment: str) -> Iterator[Served]:
    """Migrate a database under `folder`, serve it on a free port, stop it at the end."""
    port = free_port()
    variables = {**os.environ, "VAR_DIR": str(folder), "LOG_LEVEL": "WARNING", **environment}
    manage = [sys.executable, str(ROOT / "manage.py")]
    subprocess.run([*manage, "migrate", "--verbosity", "0"], env=variables, check=True)
    log = (folder / "serve.log").open("wb")
    process = subprocess.Popen(
        [*manage, "serve", "--port", str(port)], env=variables, stdout=log, stderr=log
    )
    url = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + 90
        while not _answers(url):
            assert process.poll() is None, (folder / "serve.log").read_text()
            assert time.monotonic() < end, f"not ready after 90 s: {folder / 'serve.log'}"
            time.sleep(0.1)
        yield Served(url, process, variables)
    finally:
        process.terminate()
        process.wait(15)
        log.close()
