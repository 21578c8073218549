"""Images that look alike, told by their names, so that they belong in one split.

They are frames of one video, or altered copies of one image as Roboflow writes them.
"""

import os
import re
from collections.abc import Iterable

_END = re.compile(
    r"^(?P<group>.*?)[ _.\-]*(?:(?:^|(?<=[ _.\-]))(?:frame|image|img|f))?[ _.\-]*(?P<number>\d+)$",
    re.IGNORECASE,
)
# "photo_jpg.rf.0f1e2d.jpg" is an altered copy of photo.jpg.
_COPY = re.compile(r"\.rf\.[0-9a-z]+$", re.IGNORECASE)
_FORMER = re.compile(r"_(jpe?g|png|bmp|webp|gif|tiff?)$", re.IGNORECASE)  # extension
_FEWEST_FRAMES = 5  # a group, on average, in what looks like videos
_SHARE = 0.8  # of the names


def group_of(name: str) -> str | None:
    """The name of an image without its running number: "0016E5_01290.jpg" is of "0016E5".

    The folder is kept: "cam1/0001.png" is of "cam1/". What Roboflow adds is not: "a_mp4-0001_jpg.rf.0f1e.jpg"
    is of "a_mp4". None for a name without a number at its end, or one
    that is nothing but a number and in no folder.
    """
    folder, file = os.path.split(source_of(name) or os.path.splitext(name)[0])
    found = _END.match(_FORMER.sub("", file))
    if found is None:
        return None
    group = f"{folder}/{found['group']}" if folder else found["group"]
    return group or None


def source_of(name: str) -> str | None:
    """The image of which Roboflow made this one, several perhaps: "a_jpg.rf.0f1e.jpg" is of "a_jpg".

    None for a name that is none of Roboflow's.
    """
    stem = os.path.splitext(name)[0]
    source = _COPY.sub("", stem)
    return source if source != stem else None


def look_like_videos(names: Iterable[str]) -> bool:
    """Whether images are frames of a few videos: several groups of five frames or more, on average.

    Names that differ by one number only ("000000000009.jpg", "BloodImage_00001.jpg") are one group, and one
    group says nothing. Copies of one image count once.
    """
    sources = {source_of(name) or name: name for name in names}
    names = list(sources.values())
    groups = [group for name in names if (group := group_of(name)) is not None]
    distinct = len(set(groups))
    return distinct >= 2 and len(groups) >= _SHARE * len(names) and len(groups) >= _FEWEST_FRAMES * distinct
