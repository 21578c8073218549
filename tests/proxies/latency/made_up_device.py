"""A device that is made up: what it costs is known, so the predictions can be evaluated. Letters: N, F."""

import numpy as np

from proxies.latency.features import FEATURE_NAMES, Features, feature_table
from supernet.architecture import Architecture
from supernet.search_space import SearchSpace
from supernet.spaces import built_in_space

MACS = [i for i, name in enumerate(FEATURE_NAMES) if name.startswith("macs")]
NUMS = [i for i, name in enumerate(FEATURE_NAMES) if name.startswith("num")]


def space_at(*resolutions: int) -> SearchSpace:
    return built_in_space("hybrid-small").with_resolutions(resolutions)


def sample(space: SearchSpace, count: int, seed: int = 0) -> list[Architecture]:
    return space.decode_all(space.sample(np.random.default_rng(seed), count))


def features_of(space: SearchSpace, count: int, seed: int = 0) -> Features:
    return feature_table(space.network_spec(a, num_classes=10) for a in sample(space, count, seed))


def device(features: Features, noise: float = 0.02, step: float = 1.0) -> np.ndarray:
    """1 us an operation and 1 ns a MAC, `step` times as long beyond the median; log-normal noise."""
    ms = 1e-3 * features[:, NUMS].sum(axis=1) + 1e-6 * features[:, MACS].sum(axis=1)
    ms = np.where(ms > np.median(ms), step * ms, ms)
    return ms * np.exp(noise * np.random.default_rng(1).standard_normal(len(ms)))
