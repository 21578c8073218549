"""How many different networks a space holds."""

import itertools
from collections import Counter

from supernet.search_space import SearchSpace
from supernet.stage_space import StageSpace


def num_networks(space: SearchSpace) -> int:
    """Number of different networks: codes whose canonical forms agree are counted once.

    Exact for a space without constraints; constraints are not applied. A sum over the widths that
    reach each stage, since they decide how many of the stage's codes differ.

    Examples:
      >>> from supernet import built_in_space, num_networks
      >>> num_networks(built_in_space("hybrid-small"))
      1020155904
    """
    total = 0
    for resolution in space.resolution:
        side = -(-resolution // space.stem_stride)
        ways = Counter({space.stem_width: 1})  # width -> number of different networks so far
        for stage in space.stages:
            side = -(-side // stage.stride)
            following: Counter[int] = Counter()
            for in_width, count in ways.items():
                for width in _widths(stage, in_width):
                    following[width] += count * _choices_at(stage, width, side)
            ways = following
        total += sum(ways.values())
    head = space.dense_head
    return total if head is None else total * len(head.width) * len(head.depth)


def _widths(stage: StageSpace, in_width: int) -> set[int]:
    if not stage.growth:
        return set(stage.width)
    return {min(int(in_width * g), stage.max_width or int(in_width * g)) for g in stage.growth}


def _choices_at(stage: StageSpace, width: int, side: int) -> int:
    """Number of different stages of `width` channels over a map of `side` x `side`."""
    common = len(stage.depth) * len(stage.expansion) * len(stage.kernel)
    num_attention = 0
    if "attention" in stage.block:
        patches = {min(p, side) for p in stage.patch}
        heads_and_patches = {(p, 0 if p >= side else h) for p, h in itertools.product(patches, stage.heads)}
        embeds = stage.embed or (2 ** (width.bit_length() - 1),)
        num_ffns = sum(len({int(embed * ratio) for ratio in stage.ffn_ratio}) for embed in embeds)
        num_attention = num_ffns * len(heads_and_patches)
    return common * (("conv" in stage.block) + num_attention)
