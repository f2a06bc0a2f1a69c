"""News for the rooms above; the catalog does not know who listens."""

from django.dispatch import Signal

# after a synchronisation that found a difference; arguments: cluster (Cluster) and the names of the
# topics that appeared, vanished, and were deleted and created anew (their old offsets mean nothing)
topics_changed = Signal()  # cluster, appeared, vanished, recreated

# after a declaration was committed; argument: changes (list of catalog.actions.Change)
declaration_applied = Signal()
