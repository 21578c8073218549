"""Whether networks of a front are still on it once they have been trained.

Letters: N networks, M objectives.
"""

import numpy as np
from numpy.typing import NDArray

STANDARD_ERRORS = 2.0  # by so many two error rates have to differ for one network to be clearly better


def confirm(
    costs: NDArray[np.float64], errors: NDArray[np.float64], deviations: NDArray[np.float64]
) -> list[str]:
    """For each network "yes", "no" or "unclear".

    "no": another one costs no more in anything and is clearly better. "unclear": another one costs no more
    and makes fewer errors, but so few that chance may have done it.

    Args:
      costs: float64 [N, M - 1], all minimised: the other objectives.
      errors: float64 [N], after training.
      deviations: float64 [N], the standard deviation of each with other images.
    """
    variances = deviations**2
    verdicts = []
    for n, (cost, error) in enumerate(zip(costs, errors, strict=True)):
        rivals = np.all(costs <= cost, axis=1) & (errors < error)
        margin = STANDARD_ERRORS * np.sqrt(variances + variances[n])
        if not rivals.any():
            verdicts.append("yes")
        else:
            verdicts.append("no" if (rivals & (error - errors > margin)).any() else "unclear")
    return verdicts
