"""Frames of one video, told by their names: they look alike, so that they belong in one split."""

import os
import re
from collections.abc import Iterable

_END = re.compile(
    r"^(?P<group>.*?)[ _.\-]*(?:(?:^|(?<=[ _.\-]))(?:frame|image|img|f))?[ _.\-]*(?P<number>\d+)$",
    re.IGNORECASE,
)
_FEWEST_FRAMES = 5  # a group, on average, in what looks like videos
_SHARE = 0.8  # of the names


def group_of(name: str) -> str | None:
    """The name of an image without its running number: "0016E5_01290.jpg" is of "0016E5".

    The folder is kept: "cam1/0001.png" is of "cam1/". None for a name without a number at its end, or one
    that is nothing but a number and in no folder.
    """
    folder, file = os.path.split(name)
    found = _END.match(os.path.splitext(file)[0])
    if found is None:
        return None
    group = f"{folder}/{found['group']}" if folder else found["group"]
    return group or None


def look_like_videos(names: Iterable[str]) -> bool:
    """Whether images are frames of a few videos: several groups of five frames or more, on average.

    Names that differ by one number only ("000000000009.jpg", "BloodImage_00001.jpg") are one group, and one
    group says nothing.
    """
    names = list(names)
    groups = [group for name in names if (group := group_of(name)) is not None]
    distinct = len(set(groups))
    return distinct >= 2 and len(groups) >= _SHARE * len(names) and len(groups) >= _FEWEST_FRAMES * distinct
