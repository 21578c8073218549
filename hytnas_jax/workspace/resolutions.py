"""Which input resolutions the search chooses from, where no flag says so."""

from collections.abc import Sequence

from hytnas_jax import console
from hytnas_jax.data import Looked
from hytnas_jax.numbers import percent
from hytnas_jax.tasks.small_boxes import large_enough, narrower_side
from supernet.search_space import SearchSpace

MOST_PIXELS = 128  # of a side for detection and segmentation, where cost grows with the pixels


def resolutions_for(space: SearchSpace, looked: Looked | None, native: int) -> tuple[int, ...]:
    """Two of a space's resolutions for images of side `native`; the space has its task's head.

    The largest that the images reach. Of detection and segmentation not above MOST_PIXELS, but where half of
    the boxes would be narrower than a cell of the output: then larger ones. Without a look at boxes the usual
    ones.
    """
    head = space.dense_head
    if head is None:
        return default_resolutions(space.resolution, native)
    usual = default_resolutions(space.resolution, min(native, MOST_PIXELS))
    narrower = None if looked is None else narrower_side(looked.source)
    if narrower is None:
        return usual
    reached = sorted({*usual, *(side for side in space.resolution if side <= native)})
    chosen = tuple(large_enough(reached, usual, narrower, head.stride))
    if chosen != usual:
        sides, most = (" and ".join(map(str, each)) for each in (chosen, usual))
        console.say(
            f"half of the boxes are narrower than {percent(narrower)} of an image: at {sides} pixels "
            f"(otherwise: --resolutions; {most} train faster, and find fewer)"
        )
    return chosen


def default_resolutions(choices: Sequence[int], native: int) -> tuple[int, ...]:
    """The two largest of a space's resolutions that images of side `native` reach, or its smallest two."""
    reached = [r for r in sorted(choices) if r <= native]
    return tuple(reached[-2:] if len(reached) >= 2 else sorted(choices)[:2])
