"""The kinds of evidence that are sampled, in the order in which they are."""

from lineage.sampling.commits import Commits
from lineage.sampling.headers import Headers
from lineage.sampling.members import Members
from lineage.sampling.offsets import Offsets
from lineage.sampling.producers import Producers
from lineage.sampling.sampler import Sampler
from lineage.sampling.transactions import Transactions


def all_samplers() -> list[Sampler]:
    """Return one of each."""
    return [Members(), Offsets(), Producers(), Transactions(), Commits(), Headers()]
