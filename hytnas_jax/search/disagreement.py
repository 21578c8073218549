"""Whether measured networks say that a latency predictor is wrong. Letter: B networks of a batch."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

# The mean error that a predictor of 100 networks has, or a smaller one (docs/latency.md).
GOOD_ERROR = 0.05


@dataclasses.dataclass(frozen=True, eq=False)
class Batch:
    """Networks that were predicted before they were measured.

    predicted_ms, measured_ms, half_width: float64 [B]; the last is how unsure each measurement is (`Timing`).
    """

    predicted_ms: NDArray[np.float64]
    measured_ms: NDArray[np.float64]
    half_width: NDArray[np.float64]

    @property
    def errors(self) -> NDArray[np.float64]:
        """float64 [B]: how far each prediction was off, as a share of what was measured."""
        return np.abs(self.predicted_ms / self.measured_ms - 1)

    def disagrees(self, held_out_error: float) -> bool:
        """Whether the predictor, of this mean error on networks held out, is to be fitted anew.

        So it is where its mean error on the batch is more than that, more than `GOOD_ERROR` where that is
        less (a predictor that knows how bad it is need not stay so), and more than the measurements
        themselves are unsure of. Where the predictor is as good here as it says, chance alone is as often
        above as below: a fit for nothing takes a second and does no harm, a front predicted wrong does.
        """
        least = max(min(held_out_error, GOOD_ERROR), float(self.half_width.mean()))
        return float(self.errors.mean()) > least
