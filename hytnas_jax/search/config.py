"""The flags of `search`."""

import dataclasses
from pathlib import Path
from typing import Annotated

from hytnas_jax.shared_flags.device_names import check_device_name
from hytnas_jax.shared_flags.limits import LATENCY, Limits
from hytnas_jax.shared_flags.objective_names import ERRORS, check_names, on_device
from hytnas_jax.shared_flags.ranges import MOST_NETWORKS, SEED, above, check_ranges, within
from supernet.errors import UserError


@dataclasses.dataclass(frozen=True)
class Config(Limits):
    """Search for the networks with the best trade-offs, within your limits."""

    workdir: Path
    """The work folder; train_supernet has ended in it (and measure_latency, where latency plays a part)."""
    objectives: tuple[str, ...] = ("blended_error", "latency_ms")
    """What to trade off, two to four of: blended_error (the supernet's loss and the MACs of 1x1 convolutions
    in equal parts, on the scale of an error rate: what ranks best before anything is trained on its own),
    error (rate on the validation split with the supernet's weights), trained_error (what it will be after
    training: the combined estimate, learnt from the networks that study_ranking has trained), latency_ms
    (predicted, and checked on the way; latency_ms@NAME and energy_mj@NAME on a device that fit_latency
    knows), parameters, macs (multiply-accumulates), peak_memory (bytes of activations in a float32 TFLite
    file), model_bytes (size of that file), peak_memory_int8 and model_bytes_int8 (the same in eight bits),
    energy_estimate (microjoules, from operations and bytes at published energies: not measured), zen_score
    (expressiveness at random weights; needs no training)."""
    device: str | None = None
    """The device whose latency latency_ms and --max-latency-ms are, one that fit_latency knows. If not given:
    this machine, as measure_latency has measured it."""
    max_error: Annotated[float | None, above(0, 1)] = None
    """No network on the front above this error rate (a share), as the first of error, blended_error and
    trained_error has it that is an objective."""
    evaluations: Annotated[int, within(2, MOST_NETWORKS)] = 80
    """Networks to evaluate in all. Give more to go on with a finished search."""
    initial: Annotated[int, within(2, MOST_NETWORKS)] = 24
    """How many of them are drawn before there is anything to learn from: the smallest and the largest of the
    space, the others at random."""
    batch: Annotated[int, within(1, 1000)] = 8
    """Networks that are suggested at once; smaller batches learn more from each evaluation."""
    surrogate: str = "gp"
    """Model of what is evaluated: gp (Gaussian process), xgboost (boosted trees), xgbranker (boosted trees
    that learn which of two is better), ffn (small networks) or bnn (a Bayesian network)."""
    acquisition: str = "ucb"
    """What makes a network promising: ucb (optimistic bound), ei (expected improvement), mean (prediction
    alone) or thompson (a function drawn from the model)."""
    selection: str = "hvi"
    """How the batch is chosen from the promising: hvi (expected hypervolume improvement), random, dominance
    (the acquisitions' front, spread out) or uncertainty (what is known least)."""
    features: str = "genes"
    """What the model sees of a network: genes, or genes+complexity (parameters and MACs too)."""
    random_baseline: bool = True
    """Evaluate as many random networks too, to show what the search is worth. They share the initial ones and
    do not change its result; without, a search of 80 takes 56 evaluations less."""
    measure_batches: bool = True
    """Where latency_ms of this machine plays a part: measure what is evaluated, batch by batch, and fit the
    predictor again where it was wrong (docs/latency-search.md). Takes about a quarter of a second for each
    network; without, latencies are what measure_latency's predictor says."""
    seed: Annotated[int, SEED] = 0
    """Another seed draws other networks."""


def check(config: Config) -> None:
    """Raises UserError for numbers and names that cannot be."""
    check_ranges(config)
    check_names([on_device(name, config.device) for name in config.objectives], config.features)
    if config.device is not None:
        check_device_name(config.device)
        if LATENCY not in config.objectives and config.max_latency_ms is None:
            raise UserError(
                f"--device {config.device}: nothing asks for its latency; add latency_ms to --objectives, or "
                "give --max-latency-ms"
            )
    if config.evaluations < config.initial:
        raise UserError(f"--evaluations {config.evaluations}: must be at least {config.initial} (--initial)")
    if config.max_error is not None and not set(ERRORS) & set(config.objectives):
        raise UserError("--max-error: is a limit on an objective; add blended_error to --objectives")
