"""A work folder as study_efficiency leaves it: a tiny space, and devices on which times are made up."""

import functools
from pathlib import Path

import numpy as np

from hytnas_jax.files.atomic import write_json
from hytnas_jax.study_efficiency.plan import STEP, Plan
from hytnas_jax.workspace.workdir import Workdir
from proxies.latency.features import FEATURE_NAMES, Features, architecture_features
from proxies.latency.predictor import LatencyPredictor
from supernet.search_space import SearchSpace
from supernet.stage_space import StageSpace

SPACE = SearchSpace(
    "small",
    (
        StageSpace(stride=1, depth=(1, 2), expansion=(1, 2), width=(4, 8, 12)),
        StageSpace(
            block=("conv", "attention"),
            width=(8, 16, 24),
            embed=(8, 16),
            heads=(1, 2),
            ffn_ratio=(1, 2),
            patch=(1, 2),
        ),
    ),
    resolution=(8, 12, 16, 24, 32),
    stem_width=4,
    stem_stride=1,
    head_min=8,
    constraints=("stage1.width <= stage2.width",),
)
NUM_CLASSES, CHANNELS = 10, 3
_MACS = [index for index, name in enumerate(FEATURE_NAMES) if name.startswith("macs")]


def to_spec(space: SearchSpace = SPACE):
    return functools.partial(space.network_spec, num_classes=NUM_CLASSES, channels=CHANNELS)


def true_ms(features: Features) -> np.ndarray:
    """A tenth of a millisecond, and one for 100,000 MACs."""
    return 0.1 + features[:, _MACS].sum(axis=1) / 1e5


def fitted(networks: int = 60) -> LatencyPredictor:
    codes = SPACE.sample(np.random.default_rng(0), networks)
    features = architecture_features(SPACE.decode_all(codes), to_spec())
    return LatencyPredictor.fit(features, true_ms(features))


def make_study(path: Path, devices: dict[str, LatencyPredictor]) -> Path:
    """The work folder `path`, with a predictor for each device."""
    step = Workdir(path).step(STEP)
    step.begin(Plan(SPACE, 32, NUM_CLASSES, CHANNELS, networks=60, seed=0).to_json())
    for name, predictor in devices.items():
        write_json(step.folder / "predictors" / f"{name}.json", predictor.to_json())
    step.finish({"devices": sorted(devices)})
    return path
