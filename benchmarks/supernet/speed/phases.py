"""What our training step and our evaluating achieve beside what the chip can do, and which limit is nearer.

*Needed* operations are those of the subnets alone: two for each multiply-accumulate (`proxies.complexity`),
three times that in a training step. *Computed* ones and the bytes, on accelerators only, are XLA's counts of
the programs (`cost_analysis`): masks make them more than needed. XLA counts a loop's body once and of a
conditional the dearest branch. A network has no loop on an accelerator; those over subnets and batches are
taken apart here. Conditionals (the kind of block, the depth) make the training step's counts upper bounds;
evaluating together has none. The bytes are those that kernels read and write, caches left aside. Where both
shares are small, neither limits: starting kernels does, or the host.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import optax

from benchmarks.supernet.speed.chip_ceilings import Ceilings, ceilings
from benchmarks.supernet.speed.workload import Workload
from proxies.complexity import num_macs
from supernet import training
from supernet.architecture import Architecture
from supernet.supernet import Control, SupernetModel, controls

NUM_SAMPLED = 64  # steps, and subnets to evaluate
TRAINING_PASSES = 3  # forward, and backward to the maps and to the weights


@dataclasses.dataclass(frozen=True)
class Work:
    """Floating-point operations and bytes; None where they are not known."""

    flops: float | None
    num_bytes: float | None

    def __add__(self, other: "Work") -> "Work":
        return Work(_total(self.flops, other.flops), _total(self.num_bytes, other.num_bytes))

    def times(self, count: int) -> "Work":
        return Work(*(None if value is None else count * value for value in dataclasses.astuple(self)))


def needed_flops(workload: Workload, subnets: Sequence[Architecture], images: int) -> float:
    """Of all `subnets` forward on `images` each."""
    macs = num_macs(
        lambda a: workload.space.network_spec(a, num_classes=workload.num_classes, channels=workload.channels)
    )
    return 2.0 * images * float(macs(subnets).sum())


def training_work(workload: Workload, model: SupernetModel, params: Any) -> Work:
    """Of a training step: one with a single subnet, and each other subnet's forward and backward pass."""
    recipe = training.Recipe(num_steps=workload.num_steps)
    images, labels = workload.training_batch(0)
    subnets = controls(workload.space, workload.subnets(0))
    state = jax.eval_shape(lambda params: training.init(recipe, params), params)
    step = work(
        lambda state, *inputs: training.step(model, recipe, state, *inputs),
        *(state, images, {"label": labels}, subnets.at(slice(0, 1))),
    )

    def loss_of(params: Any, maps: jax.Array, control: Control) -> jax.Array:
        logits = model.after_stem(params, maps, control)
        return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(logits, labels))

    maps = jax.eval_shape(model.stem, params, images)
    subnet = work(jax.grad(loss_of, argnums=(0, 1)), params, maps, subnets.at(0))
    return step + subnet.times(len(subnets.head) - 1)


def evaluation_work(
    workload: Workload, model: SupernetModel, params: Any, subnets: Sequence[Architecture]
) -> Work:
    """Of a population that is evaluated by one program, as `BatchEvaluator` does."""
    calibration, images, _ = workload.evaluating()
    batch, stats = controls(workload.space, subnets), model.abstract_stats

    def of_batch(*, train: bool) -> Work:
        def outputs(params: Any, stats: Any, images: Any, control: Control) -> Any:
            logits, new_stats = model.apply(params, stats, images, control, train=train)
            return new_stats if train else logits

        of_subnets = jax.tree.map(lambda s: jax.ShapeDtypeStruct((len(subnets), *s.shape), s.dtype), stats)
        axes = (None, None, None, 0) if train else (None, 0, None, 0)
        return work(jax.vmap(outputs, axes), params, stats if train else of_subnets, images[0], batch)

    return of_batch(train=True).times(len(calibration)) + of_batch(train=False).times(len(images))


def work(function: Any, *args: Any) -> Work:
    """XLA's counts: operations before it optimises (a library's kernel has none after), bytes thereafter."""
    lowered = jax.jit(function).lower(*args)
    counts = [stage.cost_analysis() or {} for stage in (lowered, lowered.compile())]
    return Work(counts[0].get("flops"), counts[1].get("bytes accessed"))


def achieved(seconds: float, needed: float, computed: Work, limits: Ceilings | None) -> dict[str, Any]:
    """Rates, their shares of the chip's ceilings, and what the larger one is of; None is not known."""
    rates = {
        "needed FLOP/s": needed / seconds,
        "computed FLOP/s": None if computed.flops is None else computed.flops / seconds,
        "bytes/s": None if computed.num_bytes is None else computed.num_bytes / seconds,
    }
    shares = {
        "compute": _share(rates["computed FLOP/s"], limits.flops_per_s if limits else None),
        "bandwidth": _share(rates["bytes/s"], limits.bytes_per_s if limits else None),
    }
    known = {limit: share for limit, share in shares.items() if share is not None}
    limited_by = max(known, key=lambda limit: known[limit]) if len(known) == len(shares) else None
    return {"seconds": seconds, **rates, "shares": shares, "limited by": limited_by}


def phases(
    workload: Workload,
    model: SupernetModel,
    params: Any,
    *,
    trained: float,
    evaluated: float,
    population: int,
) -> dict[str, Any]:
    """`achieved` in training and in evaluating, from training images/s and evaluated subnets/s.

    The operations needed are the means over the subnets of many steps, and over many to evaluate.
    """
    limits, nothing = ceilings(), Work(None, None)
    is_counted = jax.default_backend() != "cpu"
    sandwiches = [subnet for number in range(NUM_SAMPLED) for subnet in workload.subnets(number)]
    members, many = workload.evaluated(population, 0), workload.evaluated(NUM_SAMPLED, 1)
    step = TRAINING_PASSES * needed_flops(workload, sandwiches, workload.batch) / NUM_SAMPLED
    images = workload.calibration_batches * workload.evaluation_batch + workload.validation_images
    evaluating = population * needed_flops(workload, many, images) / NUM_SAMPLED
    step_work = training_work(workload, model, params) if is_counted else nothing
    population_work = evaluation_work(workload, model, params, members) if is_counted else nothing
    return {
        "chip": jax.local_devices()[0].device_kind,
        "ceilings": limits and dataclasses.asdict(limits),
        "a training step": achieved(workload.batch / trained, step, step_work, limits),
        "evaluating a population": achieved(population / evaluated, evaluating, population_work, limits),
    }


def _total(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a + b


def _share(rate: float | None, limit: float | None) -> float | None:
    return None if rate is None or limit is None else rate / limit
