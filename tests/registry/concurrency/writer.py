"""One process that registers from several threads, half of it the same as its siblings do.

Prints one JSON line for each registration: subject, text, id, version, or the error code.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402  (Django must be set up first)

from registry.actions import Submission, register  # noqa: E402
from registry.errors import RegistryError  # noqa: E402

SUBJECTS = 3
THREADS = 3
CALLS = 8


def make_text(number: int) -> str:
    """A record of one field, whose default makes it compatible with its siblings."""
    field = {"name": f"f{number}", "type": "int", "default": 0}
    return json.dumps({"type": "record", "name": "R", "fields": [field]})


def register_some(seed: int) -> list[dict[str, Any]]:
    """Register a few schemas, and in the end one of two that exclude each other."""
    random = Random(seed)
    done = []
    for _ in range(CALLS):
        number = (
            random.randrange(20) if random.random() < 0.5 else seed * 1000 + random.randrange(99)
        )
        done.append(_register(f"s{random.randrange(SUBJECTS)}", make_text(number)))
    rival = '"int"' if seed % 2 else '"boolean"'
    done += [_register(f"rivals{at}", rival) for at in range(3)]
    connection.close()
    return done


def _register(subject: str, text: str) -> dict[str, Any]:
    try:
        made = register(subject, Submission(text))
    except RegistryError as error:
        return {"subject": subject, "error": error.error_code}
    return {
        "subject": subject,
        "text": made.schema.text,
        "id": made.schema.id,
        "version": made.version,
    }


if __name__ == "__main__":
    first = int(sys.argv[1])
    with ThreadPoolExecutor(THREADS) as pool:
        for lines in pool.map(register_some, range(first, first + THREADS)):
            for line in lines:
                print(json.dumps(line))
