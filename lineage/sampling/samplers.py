"""The kinds of evidence that are sampled, in the order in which they are.

First what names no one but a producer id, then what names these: a producer is known to its
coordinator before it writes, so that each id seen can be named in the same sample. Offsets come
before members, which show how fast they read.
"""

from lineage.sampling.acls import Acls
from lineage.sampling.commits import Commits
from lineage.sampling.connect import Connect
from lineage.sampling.headers import Headers
from lineage.sampling.history import History
from lineage.sampling.members import Members
from lineage.sampling.offsets import Offsets
from lineage.sampling.producers import Producers
from lineage.sampling.sampler import Sampler
from lineage.sampling.streams import Streams
from lineage.sampling.transaction_log import TransactionLog
from lineage.sampling.transactions import Transactions


def all_samplers() -> list[Sampler]:
    """Return one of each."""
    return [
        Producers(), Headers(), History(), Offsets(), Members(), Streams(),
        Transactions(), TransactionLog(), Commits(), Acls(), Connect(),
    ]  # fmt: skip
