"""Reading ahead what every question about the whole graph needs: a second of a large estate.

So that no user waits for it, a process begins with it, beside its first requests.
"""

import logging
from threading import Thread

from django.db import DatabaseError, connection

from lineage.outline import read_outline
from lineage.recognised import read_recognised

log = logging.getLogger(__name__)


def warm() -> None:
    """Read topology, identities and unnamed producers, and keep them; see `lineage.recognised`."""
    read_recognised().find_out()
    _ = read_outline().pairs


def begin() -> Thread:
    """Begin to read in the background; where there is no ledger yet, leave it."""
    thread = Thread(target=_try, name="lineage-warming", daemon=True)
    thread.start()
    return thread


def _try() -> None:
    try:
        warm()
    except DatabaseError as error:
        # the first question will say so to who asks it
        log.info("lineage was not read ahead: %s", error)
    finally:
        connection.close()
