"""One process that creates the same keys as its siblings from several threads.

Prints one JSON line for each thing done: what, and the error code or `made`.
"""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import django

django.setup()

from django.db import connection  # noqa: E402  (Django must be set up first)

from registry.errors import RegistryError  # noqa: E402
from registry.keys.actions import deks, keks  # noqa: E402
from registry.keys.entities import DekName, NewDek, NewKek  # noqa: E402
from registry.naming import SubjectName  # noqa: E402

THREADS = 3
ROUNDS = 4
start = Barrier(THREADS)


def write(thread: int) -> list[tuple[str, object]]:
    """Create a KEK, DEKs under it, and delete the KEK while others still add to it."""
    done: list[tuple[str, object]] = []

    def attempt(what: str, action: Callable[[], object]) -> None:
        try:
            action()
        except RegistryError as error:
            done.append((what, error.error_code))
        else:
            done.append((what, "made"))

    subject = SubjectName.read("s")
    for at in range(ROUNDS):
        kek, doomed = f"kek{at}", f"doomed{at}"
        start.wait(timeout=60)
        for name in (kek, doomed):
            attempt(name, partial(keks.create_kek, ".", NewKek(name, "aws-kms", "id")))
        for version in (1, 2):
            new = NewDek(version, f"{thread}")
            attempt(f"{kek} {version}", partial(deks.create_dek, DekName(kek, subject), new))
        if thread:
            late = DekName(doomed, subject)
            attempt(f"dek {doomed}", partial(deks.create_dek, late, NewDek(1, "m")))
        else:
            attempt(f"delete {doomed}", partial(keks.delete_kek, ".", doomed))
    connection.close()
    return done


if __name__ == "__main__":
    with ThreadPoolExecutor(THREADS) as pool:
        for lines in pool.map(write, range(THREADS)):
            for line in lines:
                print(json.dumps(line))
