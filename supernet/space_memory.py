"""What the largest network of a space takes: a space that no machine can hold is refused before any work.

Letters: S stages.
"""

import itertools

from supernet.declaration import SpaceDeclaration
from supernet.errors import UserError
from supernet.stage_space import StageSpace

# In training a weight comes with its gradient, AdamW's two moments and its mean: 4 bytes each.
BYTES_OF_WEIGHT = 20
MOST_CHANNELS = 16384
# 80 GB in training; and 16 GiB for one layer's map, or one layer's attention scores, of a single image.
MOST_WEIGHTS, MOST_VALUES = 4 * 10**9, 2**32


def reachable_widths(space: SpaceDeclaration) -> list[set[int]]:
    """The channels that each stage can have, [S]; all that are more than a space may have count as one."""
    found, widths = [], {space.stem_width}
    for stage in space.stages:
        if stage.growth:
            grown = {int(w * g) for w, g in itertools.product(widths, stage.growth)}
            widths = {min(w, stage.max_width or w, MOST_CHANNELS + 1) for w in grown}
        else:
            widths = set(stage.width)
        found.append(widths)
    return found


def num_weights(space: SpaceDeclaration) -> int:
    """About how many weights the supernet has, which holds every choice at its largest."""
    widths = [space.stem_width, *(max(widths) for widths in reachable_widths(space))]
    weights = 27 * space.stem_width + _head(space, widths[1:])
    for stage, (before, width) in zip(space.stages, itertools.pairwise(widths), strict=True):
        weights += _residual(stage, before, width)
        if "conv" in stage.block:
            weights += (max(stage.depth) - 1) * _residual(stage, width, width)
        if "attention" in stage.block:
            embed = max(stage.embed, default=width)
            layer = embed * embed * (4 + 2 * max(stage.ffn_ratio))
            weights += 27 * width * width + 2 * width * embed + int(max(stage.depth) * layer)
    return weights


def check_memory(space: SpaceDeclaration) -> None:
    """Raises UserError where the weights, or one image's map or attention, exceed what machines hold."""
    weights = num_weights(space)
    if weights > MOST_WEIGHTS:
        raise UserError(
            f"space {space.name!r}: its largest network has about {weights:.1e} weights, which take "
            f"{weights * BYTES_OF_WEIGHT / 1e9:.0f} GB in training; at most {MOST_WEIGHTS:.0e} are taken: "
            "give smaller widths, expansions or depths"
        )
    side = -(-max(space.resolution) // space.stem_stride)
    before = space.stem_width
    for number, (stage, widths) in enumerate(zip(space.stages, reachable_widths(space), strict=True), 1):
        _check(f"stage{number}", "map", side * side * before * max(stage.expansion), side)
        side, before = -(-side // stage.stride), max(widths)
        if "attention" in stage.block:
            _check(f"stage{number}", "attention", side**4 * max(stage.heads), side)


def _check(stage: str, what: str, values: int, side: int) -> None:
    if values > MOST_VALUES:
        raise UserError(
            f"{stage}: the {what} over {side} x {side} pixels has {values:.1e} numbers, which take "
            f"{4 * values / 1e9:.0f} GB for one image; at most {MOST_VALUES:.1e} are taken: give a smaller "
            "resolution, or strides of 2 before it"
        )


def _head(space: SpaceDeclaration, widths: list[int]) -> int:
    """Weights of the head over stages of `widths`, less its classifier."""
    dense = space.dense_head
    if dense is None:
        return widths[-1] * space.head_width(widths[-1])
    width = max(dense.width)
    read = sum(widths[number] for number in space.taps)
    return width * (read + max(dense.depth) * (width + dense.kernel**2))


def _residual(stage: StageSpace, before: int, width: int) -> int:
    """Weights of one inverted residual."""
    hidden = before * max(stage.expansion)
    return hidden * (before + max(stage.kernel) ** 2 + width)
