"""Training steps against sums by hand: gradients, Adam, weight decay, the average; one trace."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import one_stage_space
import optax
import pytest

from supernet import training
from supernet.architecture import Architecture
from supernet.errors import UserError
from supernet.model import Model, Tree
from supernet.network import stand_alone
from supernet.network_spec import ConvSpec, HeadSpec, NetworkSpec
from supernet.sampling import sandwich
from supernet.supernet import Control, controls, supernet
from supernet.tasks.base import Targets
from supernet.tasks.classification import classification
from supernet.training import Metrics, Recipe, TrainState, supernet_rate

RECIPE = Recipe(
    num_steps=100, learning_rate=1e-2, weight_decay=0.5, ema_decay=0.9, lesson=classification(0.2)
)
LABELS = np.array([0, 2, 1])
# Adam's, of the first moment and beside the denominator.
DECAY, EPSILON = 0.9, 1e-8


SPACE = one_stage_space.SPACE.with_resolutions([4])


@dataclasses.dataclass
class Training:
    """`step` of the space's supernet, and how often it was traced."""

    model: Model
    start: TrainState
    images: np.ndarray
    step: Any
    num_traces: list[int]


@pytest.fixture(scope="module")
def shared(tiny: Any) -> Training:
    model = supernet(SPACE, channels=2, num_classes=3)
    images = np.random.default_rng(0).standard_normal((3, 4, 4, 2)).astype(np.float32)
    params, _ = model.init(jax.random.key(0))
    params["head"]["classifier"]["kernel"] *= 3.0  # for a gradient that has to be clipped
    num_traces = [0]

    @tiny.jit
    def step(state: TrainState, subnets: Control) -> tuple[TrainState, Metrics]:
        num_traces[0] += 1
        return training.step(model, RECIPE, state, images, {"label": LABELS}, subnets)

    start = tiny.jit(lambda: training.init(RECIPE, params))()
    return Training(model, jax.device_get(start), images, step, num_traces)


def subnets(seed: int) -> list[Architecture]:
    """The largest, the smallest and two random ones."""
    return sandwich(SPACE, np.random.default_rng(seed), num_random=2, resolution=4)


def gradient_of(state: TrainState) -> np.ndarray:
    """The gradient [P] of the first step, as clipped: Adam's first moment is a tenth of it."""
    moment = np.asarray(optax.tree.get(state.optimizer, "mu"))
    return moment / (1 - DECAY)


def assert_near(actual: Tree, expected: Tree) -> None:
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6), actual, expected)


def clipped(gradient: Tree) -> tuple[Tree, float]:
    norm = float(np.sqrt(sum(np.sum(np.square(leaf)) for leaf in jax.tree.leaves(gradient))))
    return jax.tree.map(lambda leaf: leaf / max(norm, 1.0), gradient), norm


def test_one_step_is_the_sum_of_the_subnets_gradients(tiny: Any, shared: Training) -> None:
    """The first subnet learns the smoothed labels, the others the first one's output."""
    batch = controls(SPACE, subnets(0))

    @tiny.jit
    def by_hand(control: Control, target: jax.Array) -> Any:
        stats = shared.model.no_stats()

        def loss(params: Tree) -> tuple[jax.Array, jax.Array]:
            logits = shared.model.apply(params, stats, shared.images, control, train=True)[0]
            return -jnp.mean(jnp.sum(target * jax.nn.log_softmax(logits), -1)), logits

        return jax.value_and_grad(loss, has_aux=True)(training.weights(shared.model, shared.start.params))

    # 0.8 on the label, and 0.2 spread over the three classes.
    target = np.full((3, 3), 0.2 / 3, np.float32) + 0.8 * np.eye(3, dtype=np.float32)[LABELS]
    gradients, losses, accuracies = [], [], []
    for index in range(4):
        (loss, logits), gradient = jax.device_get(by_hand(batch.at(index), target))
        gradients.append(gradient)
        losses.append(loss)
        accuracies.append(np.mean(np.argmax(logits, -1) == LABELS))
        if index == 0:
            target = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)

    after, metrics = shared.step(shared.start, batch)
    expected, norm = clipped(jax.tree.map(lambda *leaves: sum(leaves), *gradients))
    assert norm > 1.0  # or the clipping would go untested
    np.testing.assert_allclose(metrics.loss, losses, rtol=1e-5)
    np.testing.assert_allclose(metrics.accuracy, accuracies)
    np.testing.assert_allclose(metrics.gradient_norm, norm, rtol=1e-4)
    assert_near(gradient_of(after), np.concatenate([leaf.ravel() for leaf in jax.tree.leaves(expected)]))
    assert int(after.step) == 1


def test_the_update_by_hand(shared: Training) -> None:
    """AdamW at the warm-up's first rate, a tenth of the peak; decay for kernels only; the average."""
    old, subnets_of = shared.start, [controls(SPACE, subnets(seed)) for seed in (0, 1)]
    after = jax.device_get(shared.step(old, subnets_of[0])[0])
    rate = RECIPE.learning_rate / 10

    leaves = jax.tree.leaves_with_path(shared.model.abstract_params)
    decay = np.concatenate([np.full(leaf.size, 0.5 * (path[-1].key == "kernel")) for path, leaf in leaves])
    gradient = gradient_of(after)
    # Both moments are corrected for their start at zero: the first step is the gradient's sign.
    updated = old.params - rate * (gradient / (np.abs(gradient) + EPSILON) + decay * old.params)
    assert_near(after.params, updated)
    # The past weighs (1 + step) / (10 + step) at first: 1/10, then 2/11.
    assert_near(after.ema, 0.1 * old.params + 0.9 * after.params)
    third = jax.device_get(shared.step(after, subnets_of[1])[0])
    assert_near(third.ema, 2 / 11 * after.ema + 9 / 11 * third.params)


def test_decay_is_for_everything_but_biases_and_norms(tiny: Any) -> None:
    paths = jax.tree_util.tree_leaves_with_path(tiny.params)
    arrays = {path[-1].key for path, leaf in paths if leaf.ndim > 1}
    vectors = {path[-1].key for path, leaf in paths if leaf.ndim == 1}
    assert arrays == {"kernel", "bias"}  # the bias of query, key and value is [3, D]
    assert vectors == {"bias", "scale"}


def test_one_trace_serves_all_architectures(shared: Training) -> None:
    """Forty steps of four subnets each, more than 20 of them different."""
    state, seen = shared.start, set()
    for seed in range(40):
        drawn = subnets(seed)
        seen |= set(drawn)
        state, metrics = shared.step(state, controls(SPACE, drawn))
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(jax.device_get((state, metrics))))
    assert len(seen) > 20
    assert shared.num_traces == [1]


SPEC = NetworkSpec("line", 8, 1, 2, (ConvSpec(4, stride=2),), HeadSpec(width=4))


@pytest.fixture(scope="module")
def images() -> tuple[np.ndarray, Targets]:
    """Sixteen noisy images that are bright or dark."""
    rng = np.random.default_rng(0)
    labels = np.arange(16) % 2
    images = rng.normal(0, 0.5, (16, 8, 8, 1)) + (2 * labels - 1).reshape(16, 1, 1, 1)
    return images.astype(np.float32), {"label": labels}


def test_a_network_of_its_own_learns(tiny: Any, images: tuple[np.ndarray, Targets]) -> None:
    """Without controls: losses [1], falling; the average follows its formula at every step."""
    model = stand_alone(SPEC)
    recipe = Recipe(num_steps=40, learning_rate=3e-2, ema_decay=0.5)
    step = tiny.jit(lambda state: training.step(model, recipe, state, *images))
    params, stats = model.init(jax.random.key(0))
    state, losses = jax.device_get(training.init(recipe, params)), []
    for number in range(40):
        before = state
        state, metrics = jax.device_get(step(before))
        assert metrics.loss.shape == metrics.accuracy.shape == (1,)
        losses.append(float(metrics.loss[0]))
        past = min(0.5, (1 + number) / (10 + number))
        assert_near(state.ema, past * before.ema + (1 - past) * state.params)
    logits = tiny.jit(lambda: model.apply(params, stats, images[0], train=True)[0])()
    smooth = 0.9 * np.eye(2)[images[1]["label"]] + 0.05
    expected = -np.mean(np.sum(smooth * np.asarray(jax.nn.log_softmax(logits)), -1))
    assert losses[0] == pytest.approx(expected, rel=1e-4)
    # Smoothed labels cannot be met better than by 0.2 nats: -0.95 log 0.95 - 0.05 log 0.05.
    assert 0.19 < losses[-1] < min(0.35, losses[0] / 2)
    assert metrics.accuracy == [1.0]


def test_the_schedule_warms_up_and_ends_at_zero() -> None:
    """A step of Adam on a constant gradient is the learning rate itself."""
    recipe = Recipe(num_steps=10, learning_rate=1.0, warmup_steps=50, weight_decay=0.0)
    optimizer = recipe.optimizer({"kernel": jnp.zeros(1)})
    state, rates = optimizer.init(jnp.zeros(1)), []
    for _ in range(11):
        updates, state = optimizer.update(jnp.ones(1), state, jnp.zeros(1))
        rates.append(-float(updates[0]))
    # The warm-up is a fifth of the steps at most: 2 of 10.
    np.testing.assert_allclose(rates[:3], [0.1, 0.55, 1.0], atol=1e-5)
    assert all(np.diff(rates[2:]) < 0)
    assert rates[10] == pytest.approx(0.0, abs=1e-6)


def test_a_run_of_one_step_is_possible() -> None:
    optimizer = Recipe(num_steps=1).optimizer({"kernel": jnp.zeros(1)})
    updates, _ = optimizer.update(jnp.ones(1), optimizer.init(jnp.zeros(1)), jnp.zeros(1))
    assert float(updates[0]) == pytest.approx(-1e-3, rel=1e-3)


def test_the_state_is_a_copy() -> None:
    """A step may reuse the buffers of the parameters and of their average."""
    params = {"kernel": jnp.ones(2)}
    state = training.init(Recipe(num_steps=1), params)
    assert len({a.unsafe_buffer_pointer() for a in (state.ema, state.params, params["kernel"])}) == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_steps": 0}, "num_steps=0: must be between 1 and inf"),
        ({"learning_rate": 0.0}, r"learning_rate=0.0: must be between 1e-08 and 10.0"),
        ({"learning_rate": float("nan")}, "learning_rate=nan: must be between"),
        ({"warmup_steps": -1}, "warmup_steps=-1: must be between 0 and inf"),
        ({"weight_decay": 11.0}, "weight_decay=11.0: must be between 0.0 and 10.0"),
        ({"ema_decay": 1.0}, "ema_decay=1.0: must be between 0.0 and 0.99999"),
    ],
)
def test_a_recipe_out_of_range_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Recipe(**{"num_steps": 1, **changes})


@pytest.mark.parametrize(
    ("weights", "rate"), [(1_000, 1e-2), (160_000, 1e-2), (640_000, 5e-3), (16_000_000, 1e-3)]
)
def test_a_larger_supernet_has_a_smaller_learning_rate(weights: int, rate: float) -> None:
    assert supernet_rate(weights) == pytest.approx(rate)
