"""Where to go on reading the newest batches of partitions, from one sample to the next."""

from collections.abc import Iterable, Mapping

from broker.observe import Batch, Found, Partition
from lineage.sampling.sampler import View

_CHUNK_BYTES = 128 * 1024


def newest_batches(
    view: View, key: str, partitions: Iterable[Partition], *, recent: int, total_bytes: int
) -> Found[list[Batch]]:
    """Return batches since the last look, at most the newest `recent` records of a partition.

    A partition without news costs nothing but its end offset. The positions live in the view's
    memory under `key`.
    """
    positions: dict[Partition, int] = view.memory.setdefault(key, {})
    _forget_recreated(positions, view.memory.setdefault(f"{key} topics", {}), view.layout.ids)
    wanted: dict[Partition, int] = {}
    asked = list(partitions)
    ends = view.ends.items
    for partition in asked:
        end = ends.get(partition, 0)
        position = positions.get(partition, 0)
        if end > 0 and position != end:
            wanted[partition] = max(position, end - recent)
    told = view.ends.problems
    problems = {it.topic: told[it.topic] for it in asked if it.topic in told} if told else {}
    if not wanted:
        return Found([], problems)
    found = view.observer.chunks(wanted, partition_bytes=_CHUNK_BYTES, total_bytes=total_bytes)
    for partition, chunk in found.items.items():
        # where nothing is left, because retention ate it, the same is not asked for again
        unread = chunk.next_offset <= wanted[partition]
        positions[partition] = ends[partition] if unread else chunk.next_offset
    batches = [batch for chunk in found.items.values() for batch in chunk.batches]
    return Found(batches, {**problems, **found.problems})


def _forget_recreated(
    positions: dict[Partition, int], known: dict[str, str], ids: Mapping[str, str]
) -> None:
    """Begin anew where a topic was deleted and made again: it is another log of that name."""
    changed = {topic for topic, made in ids.items() if known.get(topic, made) != made}
    known.update(ids)
    if changed:
        for partition in [it for it in positions if it.topic in changed]:
            del positions[partition]
