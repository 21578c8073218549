"""How far networks are within, or beyond, limits on latency and on what is counted. Letters: N, G."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hytnas_jax.shared_flags.limits import COUNTED, LIMITS
from proxies.complexity import FIELDS, complexity_table
from proxies.latency.features import architecture_features
from proxies.latency.predictor import LatencyPredictor
from proxies.parts import ToSpec
from supernet.search_space import SearchSpace

MAX_LATENCY = "max_latency_ms"


class Needs:
    """What codes [N, G] of `space` need, by what they are allowed.

    `maxima`: a flag of `LIMITS` -> the most allowed (milliseconds, or a count); `predictor`: of the latency,
    where that is limited. `least`: the least value of each that has been met so far.
    """

    def __init__(
        self,
        space: SearchSpace,
        to_spec: ToSpec,
        maxima: Mapping[str, float],
        predictor: LatencyPredictor | None = None,
    ) -> None:
        if MAX_LATENCY in maxima and predictor is None:
            raise ValueError("a limit on the latency needs a predictor")
        self.maxima = dict(maxima)
        self.least = dict.fromkeys(maxima, np.inf)
        self._space, self._to_spec, self._predictor = space, to_spec, predictor

    def times(self, genes: NDArray[np.int64]) -> NDArray[np.float64]:
        """How many times as much as allowed each needs, of what it has least room in: float64 [N], up to 1
        within the limits."""
        architectures = self._space.decode_all(genes)
        values: dict[str, NDArray] = {}
        if self._predictor is not None and MAX_LATENCY in self.maxima:
            values[MAX_LATENCY] = self._predictor.predict(architecture_features(architectures, self._to_spec))
        counted = {flag: COUNTED[LIMITS[flag]] for flag in self.maxima if flag != MAX_LATENCY}
        if counted:
            counts = complexity_table(architectures, self._to_spec)
            values |= {flag: counts[:, FIELDS.index(field)] for flag, field in counted.items()}
        most = np.zeros(len(genes))
        for flag, maximum in self.maxima.items():
            most = np.maximum(most, values[flag] / maximum)
            self.least[flag] = min(self.least[flag], float(values[flag].min()))
        return most

    def are_met_alone(self) -> bool:
        """Whether each of the limits alone has been met by a network so far."""
        return all(self.least[flag] <= maximum for flag, maximum in self.maxima.items())

    def outside(self, genes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Codes [N] of which the predicted latency extrapolates; none where it is not limited."""
        if self._predictor is None or MAX_LATENCY not in self.maxima:
            return np.zeros(len(genes), bool)
        features = architecture_features(self._space.decode_all(genes), self._to_spec)
        return self._predictor.outside(features)
