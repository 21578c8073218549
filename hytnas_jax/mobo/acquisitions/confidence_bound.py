"""Upper confidence bound."""

import numpy as np

# Standard deviations, the same from first to last. The schedules of theory grow (Srinivas et al. 2010,
# arXiv 0912.3995); on the space of benchmarks/mobo_synthetic.py widths of 0, 0.5, 1 and 2 ended
# within the spread between seeds of each other, so there was nothing for a schedule to win.
WIDTH = 0.5


class UpperConfidenceBound:
    """How good an objective may well be: `WIDTH * std - mean`."""

    def __call__(self, mean: np.ndarray, std: np.ndarray, *, best: float, iteration: int) -> np.ndarray:
        """See `Acquisition`; neither `best` nor `iteration` matters."""
        return WIDTH * std - mean
