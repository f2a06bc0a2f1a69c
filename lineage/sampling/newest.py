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
    ends = view.observer.end_offsets(list(partitions))
    wanted = {
        partition: max(0, positions.get(partition, 0), end - recent)
        for partition, end in ends.items.items()
        if end > 0 and positions.get(partition) != end
    }
    _forget_recreated(positions, wanted, ends.items)
    if not wanted:
        return Found([], ends.problems)
    found = view.observer.chunks(wanted, partition_bytes=_CHUNK_BYTES, total_bytes=total_bytes)
    for partition, chunk in found.items.items():
        # where nothing is left, because retention ate it, the same is not asked for again
        unread = chunk.next_offset <= wanted[partition]
        positions[partition] = ends.items[partition] if unread else chunk.next_offset
    batches = [batch for chunk in found.items.values() for batch in chunk.batches]
    return Found(batches, {**ends.problems, **found.problems})


def _forget_recreated(
    positions: dict[Partition, int], wanted: dict[Partition, int], ends: Mapping[Partition, int]
) -> None:
    """Begin anew where a topic was deleted and made again: its end lies before our position."""
    for partition in list(wanted):
        if positions.get(partition, 0) > ends[partition]:
            positions.pop(partition)
            wanted[partition] = 0
