"""Architecture -> number, each with a name, a unit and a direction.

Every name here is imported when it is first used: only `ZenScore`, `Naswot`, `AzNas`, `SupernetError` and its
`EvaluationImages` need JAX.
"""

from typing import TYPE_CHECKING

from supernet.lazy import lazy_names

if TYPE_CHECKING:
    from proxies.az_nas import AzNas as AzNas
    from proxies.base import Estimate as Estimate
    from proxies.base import Estimator as Estimator
    from proxies.complexity import Complexity as Complexity
    from proxies.complexity import model_bytes as model_bytes
    from proxies.complexity import model_bytes_int8 as model_bytes_int8
    from proxies.complexity import num_macs as num_macs
    from proxies.complexity import num_parameters as num_parameters
    from proxies.complexity import peak_memory_bytes as peak_memory_bytes
    from proxies.complexity import peak_memory_bytes_int8 as peak_memory_bytes_int8
    from proxies.energy import EnergyEstimator as EnergyEstimator
    from proxies.evaluation.base import EvaluationImages as EvaluationImages
    from proxies.latency.features import architecture_features as architecture_features
    from proxies.latency.features import feature_table as feature_table
    from proxies.latency.predictor import LatencyEstimator as LatencyEstimator
    from proxies.latency.predictor import LatencyPredictor as LatencyPredictor
    from proxies.naswot import Naswot as Naswot
    from proxies.pointwise_macs import PointwiseMacs as PointwiseMacs
    from proxies.ranking import kendall_tau as kendall_tau
    from proxies.supernet_accuracy import SupernetError as SupernetError
    from proxies.zen_score import ZenScore as ZenScore
else:
    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "proxies.az_nas": ["AzNas"],
            "proxies.base": ["Estimate", "Estimator"],
            "proxies.complexity": [
                "Complexity",
                "model_bytes",
                "model_bytes_int8",
                "num_macs",
                "num_parameters",
                "peak_memory_bytes",
                "peak_memory_bytes_int8",
            ],
            "proxies.energy": ["EnergyEstimator"],
            "proxies.evaluation.base": ["EvaluationImages"],
            "proxies.latency.features": ["architecture_features", "feature_table"],
            "proxies.latency.predictor": ["LatencyEstimator", "LatencyPredictor"],
            "proxies.naswot": ["Naswot"],
            "proxies.pointwise_macs": ["PointwiseMacs"],
            "proxies.ranking": ["kendall_tau"],
            "proxies.supernet_accuracy": ["SupernetError"],
            "proxies.zen_score": ["ZenScore"],
        },
    )
