"""All estimates in one: fitted on some of the trained networks, judged on those that it was not fitted on.

Letters: N networks, E estimates.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold

COMBINED = "combined, out of sample"
FEWEST = 10  # networks, below which nothing is fitted
FOLDS, REPEATS = 5, 10
PENALTIES = np.logspace(-1, 3, 9)


def combined(
    estimates: Mapping[str, NDArray[np.float64]], truth: NDArray[np.float64], *, seed: int = 0
) -> NDArray[np.float64]:
    """What ridge regression of the truth [N] on the estimates says of networks that it has not seen, [N].

    Of each estimate the ranks count (as normal scores), so that none has to be linear. A network is predicted
    by a fit on the four fifths that it is not in; the mean of `REPEATS` divisions into fifths.
    """
    features = np.column_stack([_normal_scores(values) for values in estimates.values()])
    predicted = np.zeros(len(truth))
    for repeat in range(REPEATS):
        for fitted, unseen in KFold(FOLDS, shuffle=True, random_state=seed + repeat).split(features):
            model = RidgeCV(PENALTIES).fit(features[fitted], truth[fitted])
            predicted[unseen] += model.predict(features[unseen]) / REPEATS
    return predicted


def _normal_scores(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The quantiles of a normal distribution at the values' ranks [N]; equal values have equal ones."""
    return stats.norm.ppf((stats.rankdata(values) - 0.5) / len(values))
