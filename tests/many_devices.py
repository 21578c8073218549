"""A program on several virtual devices, for tests: python many_devices.py DEVICES FOLDER ERRAND...

Each errand prints a line of JSON: [errand, what came of it]. Several of these programs are one job where the
environment says so.
"""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hytnas_jax import console
from hytnas_jax.data import LabelledImages
from hytnas_jax.runtime import mesh, process_group
from hytnas_jax.tasks import vision_task
from hytnas_jax.training.checkpoints import Checkpoints
from hytnas_jax.training.step import compiled_step, held, sent, step_key
from proxies.evaluation.base import EvaluationImages, in_batches
from proxies.evaluation.classification import CLASSIFICATION
from proxies.evaluation.together import BatchEvaluator
from supernet import training
from supernet.sampling import sandwich
from supernet.search_space import SearchSpace
from supernet.stage_space import StageSpace
from supernet.supernet import SupernetModel, controls, supernet

NUM_CLASSES = 3
CONV = SearchSpace("conv", (StageSpace(width=(4, 8)),), resolution=(8,), stem_width=4, head_min=4)
BLOCKS = StageSpace(
    block=("conv", "attention"), width=(4, 6), embed=(4,), heads=(1,), ffn_ratio=(1,), patch=(2,)
)
MIXED = SearchSpace("mixed", (BLOCKS,), resolution=(8,), stem_width=4, stem_stride=1, head_min=4)
COLLECTIVES = ("all-reduce", "all-gather", "all-to-all", "reduce-scatter", "collective-permute")


def tree() -> dict[str, Any]:
    """Of several types; NaN has bits too."""
    noise = np.random.default_rng(0).standard_normal(5000)
    return {
        "w": jnp.asarray(noise, jnp.float32),
        "half": jnp.asarray(noise[:7], jnp.bfloat16),
        "nan": jnp.full(3, jnp.nan),
        "count": jnp.int32(7),
    }


def bits(leaves: Any) -> list[bytes]:
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(leaves)]


def saved(folder: Path, name: str) -> bool:
    Checkpoints(folder / name).save(1, mesh.replicated(tree()))
    return True


def restored(folder: Path, name: str) -> list[Any]:
    """Whether all bits are the same, and on how many devices the arrays lie."""
    store = Checkpoints(folder / name)
    assert store.newest() == 1
    found = store.restore(1, tree())
    devices = {len(leaf.sharding.device_set) for leaf in jax.tree.leaves(found)}
    return [bits(found) == bits(tree()), *devices]


def images(count: int) -> LabelledImages:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, NUM_CLASSES, count).astype(np.int32)
    return LabelledImages(rng.integers(0, 256, (count, 8, 8, 1), np.uint8), labels)


def cut(folder: Path, name: str) -> bool:
    """Whether images that lie on the devices are cut as those that are sent."""
    chosen = np.random.default_rng(1).integers(0, 20, 4 * jax.device_count())
    results = [take(images(20))(chosen) for take in (held, sent)]
    assert all(leaf.sharding == mesh.split() for leaf in jax.tree.leaves(results))
    return (
        bits(results[0]) == bits(results[1]) == bits((images(20).images[chosen], images(20).labels[chosen]))
    )


def model(space: SearchSpace) -> SupernetModel:
    return supernet(space, channels=1, num_classes=NUM_CLASSES, tiers=1)


def collectives(folder: Path, name: str) -> dict[str, int]:
    """How many of each there are in the compiled training step."""
    ours, recipe = model(MIXED), training.Recipe(num_steps=10)
    task = vision_task("classification", NUM_CLASSES)
    step: Any = compiled_step(ours, recipe, task, mean=(0.5,), std=(0.25,), mirror=False)
    state = mesh.replicated(training.init(recipe, ours.init(jax.random.key(0))[0]))
    subnets = sandwich(MIXED, np.random.default_rng(0), num_random=1, resolution=8)
    key, control = mesh.replicated((step_key(0, 0, 0), controls(MIXED, subnets)))
    batch = sent(images(20))(np.arange(2 * jax.device_count()) % 20)
    text = step.lower(state, key, *batch, control, resolution=8).compile().as_text()
    return {kind: len(re.findall(rf"= \S+ {kind}(?:-start)?\(", text)) for kind in COLLECTIVES}


def population(folder: Path, name: str) -> list[list[float]]:
    """Errors and losses of five subnets, evaluated together on this process's devices."""
    ours, pixels = model(CONV), np.random.default_rng(0).standard_normal((8, 8, 8, 1)).astype(np.float32)
    batches = in_batches(pixels[:7], {"label": np.arange(7, dtype=np.int32) % NUM_CLASSES}, 4)
    evaluated = EvaluationImages(pixels.reshape(2, 4, 8, 8, 1), *batches)
    members = CONV.decode_all(CONV.sample(np.random.default_rng(0), 5))
    params = ours.init(jax.random.key(3))[0]
    evaluate = BatchEvaluator(ours, params, evaluated, CLASSIFICATION, most=8)
    return evaluate(members, controls(CONV, members), lambda: None).tolist()


ERRANDS: dict[str, Callable[[Path, str], Any]] = {
    "save": saved,
    "restore": restored,
    "cut": cut,
    "collectives": collectives,
    "population": population,
}

if __name__ == "__main__":
    jax.config.update("jax_num_cpu_devices", int(sys.argv[1]))
    jax.config.update("jax_disable_most_optimizations", True)
    mesh.join()
    for errand in sys.argv[3:]:
        word, _, name = errand.partition("=")
        console.say(json.dumps([errand, ERRANDS[word](Path(sys.argv[2]), name)]))
    process_group.leave()
