"""Up to where a copy was proven equal to its log: a watermark that no gap lets advance. Pure."""

from collections.abc import Mapping

Offsets = Mapping[str, int]


def advance(verified: Offsets, begins: Offsets, ends: Offsets) -> dict[str, int]:
    """Return the watermark after a pass over `begins` to `ends`.

    A partition advances where the pass begins at or before what is verified already. One that went
    back (a generation rolled back, a topic made anew) is verified to where it stands now.
    """
    through = {}
    for place, end in ends.items():
        known = verified.get(place, 0)
        # what was compacted or deleted before the first pass was never there to be verified
        gap = place in verified and begins.get(place, 0) > known
        through[place] = known if gap and end >= known else max(end, 0)
    return through


def behind(verified: Offsets, ends: Offsets) -> int:
    """Count the offsets that are copied and not yet verified."""
    return sum(max(0, end - verified.get(place, 0)) for place, end in ends.items())
