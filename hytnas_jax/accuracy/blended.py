"""An error rate to rank networks by before any is trained: the supernet's loss and a count, in equal parts.

Letters: A architectures, N networks of a sample.
"""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from hytnas_jax import console
from hytnas_jax.accuracy.sample import spread_over_cost
from hytnas_jax.files.atomic import read_json, write_json
from hytnas_jax.runtime import compiling
from hytnas_jax.training.supernet import supernet_error
from hytnas_jax.workspace.project import Project
from proxies.base import Direction, Estimate, Estimator
from proxies.complexity import num_macs
from proxies.pointwise_macs import PointwiseMacs
from proxies.supernet_accuracy import SupernetError
from supernet.architecture import Architecture

SAMPLE, DRAWN = 32, 3200  # networks that the scales are taken from, and those that they are spread over
LEAST = 1e-3  # a share nearer to 0 or 1 counts as this near


@dataclasses.dataclass(frozen=True)
class Scales:
    """Mean and standard deviation over a sample: of losses in nats, log counts, and log-odds of the error."""

    loss: tuple[float, float]
    count: tuple[float, float]
    odds: tuple[float, float]

    @classmethod
    def of(
        cls, error: NDArray[np.float64], loss: NDArray[np.float64], count: NDArray[np.float64]
    ) -> "Scales":
        """Of a sample [N]; networks whose loss is no number are left out."""
        kept = np.isfinite(loss)
        columns = (loss, np.log(count), log_odds(error))
        return cls(*((float(np.mean(c[kept])), float(np.std(c[kept]))) for c in columns))

    def blend(self, loss: NDArray[np.float64], count: NDArray[np.float64]) -> NDArray[np.float64]:
        """Error rates [A] from losses and counts [A]: the mean of both standard scores, as log-odds.

        More loss and a smaller count make more errors. A column that does not vary has no say.
        """
        score = (_standard(loss, self.loss) - _standard(np.log(count), self.count)) / 2
        return expit(self.odds[0] + self.odds[1] * score)


class BlendedError(Estimator):
    """Estimator of an error rate in 0..1 that is for ranking alone.

    The supernet's loss, which sees what networks are made of and overrates small ones, and the MACs of 1x1
    convolutions, which see size alone, each in units of its own deviation over a sample of the space, in
    equal parts (docs/ranking.md). The detail "loss" is the supernet's, in nats.
    """

    name = "blended_error"
    unit = ""
    direction: Direction = "min"

    def __init__(
        self,
        supernet: SupernetError,
        count: Callable[[Sequence[Architecture]], NDArray[np.float64]],
        scales: Scales,
    ) -> None:
        self._supernet, self._count, self._scales = supernet, count, scales

    def estimate(self, architectures: Sequence[Architecture]) -> Estimate:
        """Error rates [A]; details: loss."""
        details = self._supernet.estimate(architectures).details
        return Estimate(self._scales.blend(details["loss"], self._count(architectures)), details=details)


def blended_error(project: Project) -> BlendedError:
    """The estimator of a work folder. Raises UserError where no supernet has been trained."""
    supernet, count = supernet_error(project), PointwiseMacs(project.to_spec)
    return BlendedError(supernet, count, scales_of(project, supernet, count))


def scales_of(project: Project, supernet: SupernetError, count: PointwiseMacs) -> Scales:
    """What the space's networks are like with this supernet; kept beside it, in `scales.json`.

    Raises UserError where no supernet has been trained.
    """
    step = project.workdir.step("supernet")
    made_from = step.require("train_supernet")["id"]
    path = step.folder / "scales.json"
    noted = read_json(path) if path.exists() else {}
    if noted.get("supernet") == made_from:
        return Scales(**{name: tuple(pair) for name, pair in noted["scales"].items()})
    scales = _measured(project, supernet, count)
    write_json(path, {"supernet": made_from, "scales": dataclasses.asdict(scales)})
    return scales


def _measured(project: Project, supernet: SupernetError, count: PointwiseMacs) -> Scales:
    rng = np.random.default_rng(0)
    codes = np.unique(project.space.sample(rng, DRAWN), axis=0)
    pool = project.space.decode_all(codes)
    sample = spread_over_cost(pool, num_macs(project.to_spec)(pool), min(SAMPLE, len(pool)), rng)
    results = []
    with console.progress(sample, "evaluating a sample of the space", apart=compiling.seconds) as bar:
        for network in bar:
            found = supernet.estimate([network])
            results.append((found.values[0], found.details["loss"][0]))
    error, loss = np.array(results).T
    return Scales.of(error, loss, count(sample))


def log_odds(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of shares in 0..1, finite."""
    return logit(np.clip(shares, LEAST, 1 - LEAST))


def _standard(values: NDArray[np.float64], scale: tuple[float, float]) -> NDArray[np.float64]:
    mean, std = scale
    return (values - mean) / std if std > 0 else np.where(np.isfinite(values), 0.0, np.nan)
