"""How much a number would vary with other images: the delete-a-group jackknife.

Letters: N images, G groups.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

MOST_GROUPS = 20


def standard_deviations(
    num_images: int, values_of: Callable[[NDArray[np.intp]], Sequence[float]]
) -> NDArray[np.float64]:
    """Of the numbers `values_of(images)` of the images with these indices; NaN for fewer than two images.

    They are computed G times, each time without one group of images. The groups are runs of images that
    follow one another: neighbours, such as the frames of a video, may be alike. (B. Efron, "The jackknife,
    the bootstrap and other resampling plans", 1982, chapter 3.)
    """
    images = np.arange(num_images)
    if num_images < 2:
        return np.full(len(values_of(images)), np.nan)
    groups = np.array_split(images, min(MOST_GROUPS, num_images))
    values = np.array([values_of(np.setdiff1d(images, group)) for group in groups])
    return np.sqrt((len(groups) - 1) * values.var(0))
