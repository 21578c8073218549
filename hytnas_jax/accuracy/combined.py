"""All estimates in one: what a network's accuracy would be after training on its own, and how sure that is.

Letters: N networks, E estimates.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import BayesianRidge
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from hytnas_jax.accuracy.blended import log_odds
from hytnas_jax.accuracy.estimates import LOSS, POINTWISE, Values
from supernet.errors import UserError

COMBINED = "combined, out of sample"
FEWEST = 10  # networks, below which nothing is fitted
FOLDS, REPEATS = 5, 10


@dataclasses.dataclass(frozen=True, eq=False)
class Combined:
    """Bayesian ridge regression (MacKay 1992) of the accuracy's log-odds on two estimates.

    Those are the supernet's loss and the logarithm of the MACs of 1x1 convolutions. How much each counts, and
    how far off the whole may be, is learnt from the fitted networks: of a few dozen, too few for more.
    """

    model: Pipeline

    @classmethod
    def fit(cls, estimates: Values, accuracy: NDArray[np.float64]) -> "Combined":
        """Fit to networks whose accuracy [N] after training is known.

        Raises UserError where an estimate is no number.
        """
        features = _features(estimates)
        if not np.isfinite(features).all():
            raise UserError(
                "some estimates of the trained networks are no numbers: the supernet's weights are of no "
                "use; train it again, with a smaller --learning-rate"
            )
        model = make_pipeline(StandardScaler(), BayesianRidge())
        return cls(model.fit(features, log_odds(accuracy)))

    def predict(self, estimates: Values) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Accuracy and its standard deviation, each [N]."""
        mean, std = self.model.predict(_features(estimates), return_std=True)
        return expit(mean), (expit(mean + std) - expit(mean - std)) / 2


def can_combine(estimates: Values) -> bool:
    """Whether there are enough networks for that, with estimates that are numbers."""
    features = _features(estimates)
    return len(features) >= FEWEST and bool(np.isfinite(features).all())


def out_of_sample(estimates: Values, accuracy: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a combination says of networks that it was not fitted on, accuracies [N].

    A network is predicted by a fit on the four fifths that it is not in; the mean of `REPEATS` divisions
    into fifths.
    """
    predicted = np.zeros(len(accuracy))
    for repeat in range(REPEATS):
        folds = KFold(FOLDS, shuffle=True, random_state=repeat)
        for fitted, unseen in folds.split(accuracy):
            model = Combined.fit(_rows(estimates, fitted), accuracy[fitted])
            predicted[unseen] += model.predict(_rows(estimates, unseen))[0] / REPEATS
    return predicted


def _features(estimates: Values) -> NDArray[np.float64]:
    """[N, 2], each more or less linear in the log-odds of the accuracy."""
    return np.column_stack([estimates[LOSS], np.log(estimates[POINTWISE])])


def _rows(estimates: Values, rows: NDArray[np.int64]) -> Values:
    return {name: values[rows] for name, values in estimates.items()}
