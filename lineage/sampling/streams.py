"""Which topics belong to one Kafka Streams application: its repartition and changelog topics.

Nobody but the application writes them. Their producer ids are thus its own, and with these ids it
writes its sinks as well, which no request of Kafka's protocol names (KIP-1071 does not either).
"""

import re
from collections.abc import Iterable

from broker.observe import Group
from lineage.sampling.naming import INTERNAL
from lineage.sampling.sampler import Sample, View

_THREAD = re.compile(r"-StreamThread-\d+-consumer$")
_ASSIGNOR = "stream"


class Streams:
    """Names the producer ids of Streams applications, of both group protocols, by their topics.

    Blind to an application without such topics that is not transactional either: nothing ties
    its producer to its group. Under exactly-once its commits do (see `commits`).
    """

    name = "streams"
    permissions: tuple[str, ...] = ("DESCRIBE on groups", "READ on topics")

    def sample(self, view: View) -> Sample:
        """Find the owner of every repartition and changelog topic."""
        internal = [it for it in view.layout.partitions if it.endswith(INTERNAL)]
        if not internal:
            return Sample()
        named: set[str] = view.memory.setdefault(self.name, set())
        named.update(it.name for it in view.listings)
        # kept while a rebalance hides what a group is
        known: dict[str, str] = view.memory.setdefault(f"{self.name} owners", {})
        # what is refused is told by the kind that describes groups
        known.update(owners(internal, view.groups.items, named))
        return Sample(owners={topic: known[topic] for topic in internal if topic in known})


def owners(
    internal: Iterable[str], groups: Iterable[Group], named: Iterable[str]
) -> dict[str, str]:
    """Return topic → group for the topics that are certain to be one application's. Pure.

    A topology names them itself. A classic application's are prefixed by its id, which is its
    group: taken only where no other group ever seen (`named`) could have the topic.
    """
    described = list(groups)
    found = {topic: it.listing.name for it in described for topic in it.writes}
    streams = {it.listing.name for it in described if _is_streams(it)}
    everyone = set(named) | streams
    for topic in internal:
        claims = {group for group in everyone if topic.startswith(f"{group}-")}
        if topic not in found and len(claims) == 1 and claims <= streams:
            found[topic] = claims.pop()
    return found


def _is_streams(group: Group) -> bool:
    return group.listing.kind == "streams" or (
        group.listing.kind == "classic"
        and group.assignor == _ASSIGNOR
        and all(_THREAD.search(member.client_id) for member in group.members)
    )
