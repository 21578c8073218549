"""Frames of one video, or copies of one image, told by names, as groups that belong in one split.

Letter: N images.
"""

from collections.abc import Callable

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from hytnas_jax.data.readers.groups import group_of, look_like_videos, source_of
from hytnas_jax.numbers import counted


def videos_of(name: Callable[[int], str], is_looked_at: np.ndarray) -> np.ndarray | None:
    """int [N], the same for the frames of one video; None where names do not speak of videos.

    Of the images that are looked at, bool [N]; each of the others is alone, as are those without a number.
    """
    names = {int(row): name(int(row)) for row in np.flatnonzero(is_looked_at)}
    if not look_like_videos(names.values()):
        return None
    keys = [group_of(names.get(row, "")) or f"/{row}" for row in range(len(is_looked_at))]
    return np.unique(keys, return_inverse=True)[1]


def sources_of(name: Callable[[int], str], is_looked_at: np.ndarray) -> np.ndarray:
    """int [N], the same for altered copies of one image, as Roboflow names them; every other is alone."""
    groups, first = np.arange(len(is_looked_at)), dict[str, int]()
    for row in map(int, np.flatnonzero(is_looked_at)):
        source = source_of(name(row))
        groups[row] = row if source is None else first.setdefault(source, row)
    return np.unique(groups, return_inverse=True)[1]


def about_videos(name: Callable[[int], str], videos: np.ndarray, placed: np.ndarray) -> list[str]:
    """What to say of videos [N] whose frames were put into the splits `placed` [N]."""
    frames = np.flatnonzero(np.bincount(videos)[videos] > 1)
    count = counted(len(np.unique(videos[frames])), "video")
    told = (
        f"by their names up to the last number, {len(frames)} images are frames of {count}, "
        f"e.g. {name(int(frames[0]))}: the frames of one were put into the same split (otherwise: "
        "--frames apart)"
    )
    divided = is_divided(videos, placed)
    if divided.any():
        left = counted(len(np.unique(videos[divided])), "video is", "videos are")
        told += f", but {left} in several, since there are too few: errors may be too good there"
    return [told]


def is_divided(groups: np.ndarray, placed: np.ndarray) -> np.ndarray:
    """Whether the group of each image is in several splits: bool [N]."""
    low, high = np.full(groups.max() + 1, placed.max()), np.zeros(groups.max() + 1, placed.dtype)
    np.minimum.at(low, groups, placed)
    np.maximum.at(high, groups, placed)
    return (low != high)[groups]


def joined(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Groups int [N] such that images of one group in either are of one group."""
    first = np.concatenate([np.unique(groups, return_index=True)[1][groups] for groups in (one, other)])
    rows, num = np.tile(np.arange(len(one)), 2), len(one)
    links = coo_array((np.ones(2 * num, bool), (rows, first)), (num, num))
    return connected_components(links, directed=False)[1]
