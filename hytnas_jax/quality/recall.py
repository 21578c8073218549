"""Which objects a detector misses: the small ones, those of crowded images?"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from hytnas_jax.quality.object_matching import SAME_IOU, Matched

LEAST_SCORE = 0.05  # of a box that counts as found here
SMALL, LARGE = 1 / 8, 1 / 4  # the side of an object by that of the image
FEW, MANY = 2, 10  # objects of an image


def recall(matched: Sequence[Matched]) -> dict[str, Any]:
    """Of images that were matched with `LEAST_SCORE`, as JSON values: how many objects there are and how many
    of them were found, by the size of the object and by the number of objects in its image."""
    sides = np.concatenate([each.sides for each in matched])
    together = np.concatenate([np.full(len(each.sides), len(each.sides)) for each in matched])
    is_found = np.concatenate([each.is_found for each in matched])
    by_size = {
        "below 1/8": sides < SMALL,
        "1/8 to 1/4": (sides >= SMALL) & (sides <= LARGE),
        "above 1/4": sides > LARGE,
    }
    by_number = {
        f"1 to {FEW}": together <= FEW,
        f"{FEW + 1} to {MANY - 1}": (together > FEW) & (together < MANY),
        f"{MANY} or more": together >= MANY,
    }
    return {
        "iou": SAME_IOU,
        "least_score": LEAST_SCORE,
        "by_size": [_group(name, is_found[rows]) for name, rows in by_size.items()],
        "by_number_in_image": [_group(name, is_found[rows]) for name, rows in by_number.items()],
    }


def _group(name: str, is_found: np.ndarray) -> dict[str, Any]:
    return {"group": name, "objects": len(is_found), "found": int(is_found.sum())}
