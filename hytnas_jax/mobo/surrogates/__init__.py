"""Surrogates: what an objective is expected to be where it has not been evaluated."""

from hytnas_jax.mobo.surrogates.base import Function, Predictor, Surrogate
from hytnas_jax.mobo.surrogates.bayesian_network import BayesianNetwork
from hytnas_jax.mobo.surrogates.boosted_ranker import BoostedRanker
from hytnas_jax.mobo.surrogates.boosted_trees import BoostedTrees
from hytnas_jax.mobo.surrogates.feed_forward import FeedForward
from hytnas_jax.mobo.surrogates.fit import Fitted, fit_surrogate
from hytnas_jax.mobo.surrogates.gaussian_process import GaussianProcess
from hytnas_jax.mobo.surrogates.share import FittedShare, fit_share

SURROGATES: dict[str, type[Surrogate]] = {
    "gp": GaussianProcess,
    "xgboost": BoostedTrees,
    "xgbranker": BoostedRanker,
    "ffn": FeedForward,
    "bnn": BayesianNetwork,
}

__all__ = [
    "SURROGATES",
    "BayesianNetwork",
    "BoostedRanker",
    "BoostedTrees",
    "FeedForward",
    "Fitted",
    "FittedShare",
    "Function",
    "GaussianProcess",
    "Predictor",
    "Surrogate",
    "fit_share",
    "fit_surrogate",
]
