"""The PyTorch peer of `benchmarks/supernet/speed` computes and learns what our supernet does."""

import dataclasses
import functools
import importlib
from typing import Any

import jax
import numpy as np
import one_stage_space
import optax
import pytest
from tiny_space import SPACE

from benchmarks.supernet.speed.device import require_torch
from supernet import training
from supernet.calibration import calibrate
from supernet.errors import UserError
from supernet.model import Model, Tree
from supernet.search_space import SearchSpace
from supernet.supernet import Control, controls, supernet

torch = pytest.importorskip(
    "torch", reason="the peer is written in PyTorch: pip install hytnas_jax[benchmark]"
)

NUM_CLASSES, BATCH = 3, 8
# Compiling takes longer than running by far here: 0.6 of the time without optimisation.
jit = functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
RECIPE = {"num_steps": 10, "warmup_steps": 1}


def both(space: SearchSpace) -> tuple[Model, Tree, Any]:
    """Our network, its parameters, and the peer that has the same.

    Norms and biases are not the neutral ones of the start, or they would hide mistakes.
    """
    model = supernet(space, channels=2, num_classes=NUM_CLASSES)
    rng = np.random.default_rng(0)
    start, _ = model.init(jax.random.key(0))
    params = jax.tree.map(lambda leaf: leaf + 0.3 * rng.random(leaf.shape).astype(np.float32), start)
    return model, params, peer_of(space, params)


def peer_of(space: SearchSpace, params: Tree, dtype: Any = torch.float32) -> Any:
    network = peer_module("torch_supernet").TorchSupernet(
        space, channels=2, num_classes=NUM_CLASSES, dtype=dtype
    )
    peer_module("torch_layers").load_params(network, params)
    return network


def peer_module(name: str) -> Any:
    """A module of the benchmark, imported only where PyTorch is there."""
    return importlib.import_module(f"benchmarks.supernet.speed.{name}")


def random_images(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).standard_normal((*shape, 7, 7, 2)).astype(np.float32)


def as_torch(images: np.ndarray) -> Any:
    return torch.from_numpy(np.moveaxis(images, -1, -3).copy())


def test_same_outputs() -> None:
    """In training and, recalibrated, in use: the corners and random members."""
    model, params, peer = both(SPACE)
    codes = np.concatenate([SPACE.corners(), SPACE.sample(np.random.default_rng(2), 16)])
    assert [len(np.unique(column)) for column in codes.T] == SPACE.cardinalities.tolist()  # every choice
    members = SPACE.decode_all(codes)
    batches = random_images(2, BATCH)

    @jit
    def forward(control: Control) -> tuple[jax.Array, jax.Array]:
        blank = model.no_stats()
        trained, _ = model.apply(params, blank, batches[0], control, train=True)
        stats = calibrate(model, params, blank, batches, control)
        return trained, model.apply(params, stats, batches[0], control, train=False)[0]

    peer_calibrate = peer_module("torch_training").calibrate
    for index, member in enumerate(members):
        trained, used = forward(controls(SPACE, members).at(index))
        with torch.no_grad():
            peer.train()
            np.testing.assert_allclose(peer(as_torch(batches[0]), member), trained, rtol=1e-4, atol=1e-4)
            peer_calibrate(peer, list(as_torch(batches)), member)
            peer.eval()
            np.testing.assert_allclose(peer(as_torch(batches[0]), member), used, rtol=1e-4, atol=1e-4)


def test_same_training() -> None:
    """Steps of the sandwich: losses, gradient norm, and the averaged weights at the end."""
    stage = dataclasses.replace(SPACE.stages[0], stride=2, depth=(1,), expansion=(2,), heads=(1, 2))
    space = dataclasses.replace(SPACE, stages=(stage,))
    model, params, peer = both(space)
    trainer = peer_module("torch_training").TorchTrainer(
        peer, peer_module("torch_training").TorchRecipe(**RECIPE)
    )
    recipe = training.Recipe(**RECIPE)
    state = training.init(recipe, params)
    step = jit(lambda state, *batch: training.step(model, recipe, state, *batch))
    images, labels = random_images(BATCH), np.arange(BATCH) % NUM_CLASSES
    for number in range(3):
        members = space.decode_all(space.sample(np.random.default_rng(number), 3))
        state, metrics = step(state, images, {"label": labels}, controls(space, members))
        losses, norm = trainer.step(as_torch(images), torch.from_numpy(labels), members)
        np.testing.assert_allclose(losses, metrics.loss, rtol=1e-4)
        np.testing.assert_allclose(norm, metrics.gradient_norm, rtol=1e-4)
    vectors = state.ema, optax.tree.get(state.optimizer, "nu")
    wanted, squares = (peer_of(space, training.weights(model, vector)) for vector in vectors)
    compared = []
    for ours, theirs, square in zip(wanted.parameters(), trainer.ema, squares.parameters(), strict=True):
        # Where the gradient is nothing but rounding (a bias before a BatchNorm), Adam makes steps of that.
        sure = (square == 0) | (square > 1e-10)
        compared.append(sure.flatten())
        np.testing.assert_allclose(theirs[sure], ours[sure].detach(), atol=1e-4)
    assert torch.cat(compared).float().mean() > 0.9


def test_bfloat16_is_near() -> None:
    """As on a GPU: autocast, with weights, statistics and logits in float32."""
    _, params, peer = both(one_stage_space.SPACE)
    half = peer_of(one_stage_space.SPACE, params, torch.bfloat16)
    images, labels = as_torch(random_images(2, BATCH)), torch.arange(BATCH) % NUM_CLASSES
    member = largest_member()
    torch_training = peer_module("torch_training")
    outputs = []
    for network in (peer, half):
        torch_training.calibrate(network, list(images), member)
        network.eval()
        outputs.append(network(images[0], member).detach())
    assert outputs[1].dtype == torch.float32
    assert 0 < (outputs[1] - outputs[0]).abs().max() < 0.05 * outputs[0].abs().max()
    trainer = torch_training.TorchTrainer(half, torch_training.TorchRecipe(**RECIPE))
    losses, norm = trainer.step(images[0], labels, [member, member])
    assert torch.stack(losses).isfinite().all()
    assert norm.isfinite()


def largest_member() -> Any:
    space = one_stage_space.SPACE
    return space.decode_all(space.corners())[-1]


def test_without_a_gpu_torch_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match=r"--device gpu: PyTorch .* sees none"):
        require_torch("gpu", compiled=False)
