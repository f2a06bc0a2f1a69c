"""One client process of eight threads that register until told to stop, whatever happens.

    python -m tests.registry.faults.writer PORT SEED STOP_FILE

Half of the schemas are the siblings' too. Each registration is repeated until it is answered;
prints a JSON line for each acknowledged one.
"""

import http.client
import json
import sys
import threading
import time
from pathlib import Path
from random import Random

from tests.registry.faults.server import call

THREADS = 8
SUBJECTS = 6


def text_of(number: int) -> str:
    """A record of one field, whose default makes it compatible with its siblings."""
    made = {"name": f"f{number}", "type": "int", "default": 0}
    return json.dumps({"type": "record", "name": "R", "fields": [made]})


def register(port: int, subject: str, text: str) -> dict[str, object] | None:
    """Register until the answer is yes; None once it has not been for too long."""
    end = time.monotonic() + 300
    while time.monotonic() < end:
        try:
            status, body, _ = call(port, "POST", f"/subjects/{subject}/versions", {"schema": text})
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
            continue
        if status == 200:
            return {"subject": subject, "text": text, "id": body["id"], "version": body["version"]}
        # the database may be busy: nothing else may be wrong
        if status != 503:
            return {"wrong": status, "body": body}
        time.sleep(0.05)
    return {"wrong": "no answer within five minutes"}


def write(port: int, seed: int, stop: Path) -> None:
    """Register until the file is there."""
    random, turn = Random(seed), 0
    while not stop.exists():
        turn += 1
        common = random.random() < 0.5
        number = random.randrange(200) if common else seed * 1_000_000 + turn
        made = register(port, f"s{random.randrange(SUBJECTS)}", text_of(number))
        print(json.dumps(made), flush=True)


if __name__ == "__main__":
    threads = [
        threading.Thread(target=write, args=(int(sys.argv[1]), seed, Path(sys.argv[3])))
        for seed in range(int(sys.argv[2]) * THREADS, (int(sys.argv[2]) + 1) * THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
