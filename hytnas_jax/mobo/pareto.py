"""Pareto fronts and hypervolumes of minimised values; moocore does the work."""

from collections.abc import Sequence

import moocore
import numpy as np


def pareto_mask(values: np.ndarray) -> np.ndarray:
    """Which rows no other row dominates.

    Args:
        values: float64 [N, M], minimised. A row with a NaN is on no front.

    Returns:
        bool [N]; of equal rows on the front all are True.

    Examples:
      >>> import numpy as np
      >>> from hytnas_jax import pareto_mask
      >>> pareto_mask(np.array([[1.0, 3.0], [2.0, 2.0], [2.0, 4.0]]))
      array([ True,  True, False])
    """
    mask = np.all(np.isfinite(values), axis=1)
    if mask.any():
        mask[mask] = moocore.is_nondominated(values[mask], keep_weakly=True)
    return mask


def pareto_rank(values: np.ndarray) -> np.ndarray:
    """Rank of each row of minimised, finite values [N, M] by non-dominated sorting; 0 is the front."""
    if len(values) == 0:
        return np.zeros(0, np.int64)
    return np.asarray(moocore.pareto_rank(values))


def hypervolume(values: np.ndarray, reference: np.ndarray) -> float:
    """The volume that values [N, M] (minimised) dominate within `reference` [M].

    Rows with a NaN and rows not better than the reference in every objective add nothing; without any
    row it is 0. Zitzler & Thiele 1998; exact (moocore).

    Examples:
      >>> import numpy as np
      >>> from hytnas_jax import hypervolume
      >>> hypervolume(np.array([[1.0, 3.0], [2.0, 2.0]]), reference=np.array([4.0, 4.0]))
      5.0
    """
    values = values[np.all(np.isfinite(values), axis=1)]
    if len(values) == 0:
        return 0.0
    return float(moocore.hypervolume(values, ref=reference))


def hypervolume_history(values: np.ndarray, directions: Sequence[str], reference: np.ndarray) -> np.ndarray:
    """The hypervolume after each evaluation; it never falls.

    Args:
        values: float64 [N, M] in the user's units, in the order of evaluation; NaN where one failed.
        directions: "min" or "max" for each of the M objectives.
        reference: float64 [M] in the user's units.

    Returns:
        float64 [N].

    Examples:
      >>> import numpy as np
      >>> from hytnas_jax import hypervolume_history
      >>> values = np.array([[1.0, 3.0], [0.5, 3.0], [2.0, 2.0]])
      >>> hypervolume_history(values, ["min", "min"], reference=np.array([4.0, 4.0]))
      array([3. , 3.5, 5.5])
    """
    signs = np.array([1.0 if direction == "min" else -1.0 for direction in directions])
    minimised, corner = values * signs, np.asarray(reference) * signs
    history = np.zeros(len(values))
    front = np.zeros((0, values.shape[1]))
    for n, row in enumerate(minimised):
        front = np.concatenate([front, row[None]])
        front = front[pareto_mask(front)]
        history[n] = hypervolume(front, corner)
    return history
