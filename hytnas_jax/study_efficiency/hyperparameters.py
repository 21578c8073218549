"""Which hyperparameters of a space move latency, size and memory most, over the whole space."""

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hytnas_jax.study_efficiency.plan import Plan
from hytnas_jax.study_efficiency.results import COUNTED, latency_on
from hytnas_jax.study_efficiency.sensitivity import Groups, Sensitivity, families, sensitivity, single_genes
from proxies.complexity import FIELDS, complexity_table
from proxies.latency.features import architecture_features
from proxies.latency.predictor import LatencyPredictor

SAMPLES = 1024
OF_SPACE = ("MACs", "peak memory", "file size")  # of what is counted, beside latencies


@dataclasses.dataclass(frozen=True)
class SpaceShares:
    """Shares of the variance of Q quantities' logarithms: of the K families of genes, and of the G genes.

    `family_of`: of each gene, the name of its family.
    """

    quantities: tuple[str, ...]
    families: Sensitivity
    genes: Sensitivity
    family_of: tuple[str, ...]


def space_shares(plan: Plan, predictors: Mapping[str, LatencyPredictor]) -> SpaceShares:
    """Shares over the plan's space; latencies are predicted, by device, and the rest is counted.

    Some (K + G + 4) * `SAMPLES` networks are looked at, a few seconds for 50,000. Logarithms make shares
    those of relative differences.
    """

    def values(codes: NDArray[np.int64]) -> NDArray[np.float64]:
        architectures = plan.space.decode_all(codes)
        counts = complexity_table(architectures, plan.to_spec).astype(np.float64)
        columns = [counts[:, FIELDS.index(COUNTED[quantity])] for quantity in OF_SPACE]
        if predictors:
            features = architecture_features(architectures, plan.to_spec)
            columns = [*(predictor.predict(features) for predictor in predictors.values()), *columns]
        return np.log(np.stack(columns, axis=1))

    rng = np.random.default_rng(0)

    def shares(groups: Groups) -> Sensitivity:
        return sensitivity(plan.space, values, groups, samples=SAMPLES, rng=rng)

    return SpaceShares(
        (*map(latency_on, predictors), *OF_SPACE),
        shares(families(plan.space)),
        shares(single_genes(plan.space)),
        tuple(gene.family for gene in plan.space.genes),
    )
