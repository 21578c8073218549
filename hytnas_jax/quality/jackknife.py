"""How much a number would vary with other images: the delete-a-group jackknife.

Letters: N images, G groups.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

MOST_GROUPS = 20


def standard_deviation(num_images: int, value_of: Callable[[NDArray[np.intp]], float]) -> float:
    """Of `value_of(images)`, a number of the images with these indices, NaN for fewer than two images.

    The value is computed G times, each time without one group of images. The groups are runs of images that
    follow one another: neighbours, such as the frames of a video, may be alike. (B. Efron, "The jackknife,
    the bootstrap and other resampling plans", 1982, chapter 3.)
    """
    if num_images < 2:
        return np.nan
    images = np.arange(num_images)
    groups = np.array_split(images, min(MOST_GROUPS, num_images))
    values = np.array([value_of(np.setdiff1d(images, group)) for group in groups])
    return float(np.sqrt((len(groups) - 1) * values.var()))
