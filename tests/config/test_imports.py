"""What a process of the web loads: not what only those that copy need, for its memory's sake."""

import subprocess
import sys

LOADS = """
import sys
import django
django.setup()
import config.urls
print([name for name in ("numpy", "pyarrow", "duckdb", "pymysql") if name in sys.modules])
"""


def test_the_web_loads_nothing_that_only_copying_needs() -> None:
    done = subprocess.run([sys.executable, "-c", LOADS], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
