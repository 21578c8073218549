"""How much work the compiled training and evaluating programs are: counted, not timed.

    python tests/compiled_work.py            # prints it beside what was accepted
    python tests/compiled_work.py --accept   # accepts it: commit tests/compiled_work.json

`test_compiled_work` fails where a figure grew by more than TOLERANCE.
"""

import json
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from supernet import training
from supernet.search_space import SearchSpace
from supernet.stage_space import StageSpace
from supernet.supernet import Control, SupernetModel, controls, supernet

ACCEPTED = Path(__file__).with_suffix(".json")
TOLERANCE = 0.1
BATCH, RESOLUTION = 8, 8

_STAGE = StageSpace(
    stride=1,
    block=("conv", "attention"),
    depth=(1, 2, 3),
    expansion=(1, 2, 4),
    kernel=(3, 5),
    width=(8, 16),
    embed=(8, 16),
    heads=(1, 2),
    ffn_ratio=(1, 2),
    patch=(2, 4),
)
SPACE = SearchSpace("counted", (_STAGE,), (RESOLUTION,), stem_width=8, stem_stride=1)


def measure() -> dict[str, Any]:
    """Program -> figure -> count; and the versions that they hold for."""
    programs = {}
    for tiers in (1, 2):
        model = supernet(SPACE, channels=3, num_classes=4, tiers=tiers)
        programs[f"training, tiers {tiers}"] = _counted(*_training(model))
        stage = model.parts[1]
        params, stats = stage.of_tree(model.abstract_params), stage.of_tree(model.abstract_stats)
        x = jax.ShapeDtypeStruct((BATCH, RESOLUTION, RESOLUTION, SPACE.stem_width), jnp.float32)
        train = jax.ShapeDtypeStruct((), jnp.bool_)
        programs[f"evaluating a stage, tiers {tiers}"] = _counted(
            lambda p, s, x, c, t, stage=stage: stage.model.apply(p, s, x, c, train=t),
            (params, stats, x, _controls(1).at(0), train),
        )
    return {"jax": jax.__version__, "programs": programs}


def excess(measured: dict[str, Any], accepted: dict[str, Any]) -> list[str]:
    """What grew by more than the tolerance, in words."""
    return [
        f"{program}: {figure} is {value:.4g}, accepted is {accepted['programs'][program][figure]:.4g}"
        for program, figures in measured["programs"].items()
        for figure, value in figures.items()
        if value > (1 + TOLERANCE) * accepted["programs"][program][figure]
    ]


def _training(model: SupernetModel) -> tuple[Any, tuple[Any, ...]]:
    recipe = training.Recipe(num_steps=10)
    state = jax.eval_shape(lambda p: training.init(recipe, p), model.abstract_params)
    images = jax.ShapeDtypeStruct((BATCH, RESOLUTION, RESOLUTION, 3), jnp.float32)
    labels = jax.ShapeDtypeStruct((BATCH,), jnp.int32)
    return lambda *inputs: training.step(model, recipe, *inputs), (
        state,
        images,
        {"label": labels},
        _controls(4),
    )


def _controls(count: int) -> Control:
    return controls(SPACE, SPACE.decode_all(SPACE.sample(np.random.default_rng(0), count)))


def _counted(program: Any, inputs: tuple[Any, ...]) -> dict[str, float]:
    lowered = jax.jit(program).lower(*inputs)
    # Kernels are counted before LLVM sees them, so that it need not optimise them; they are those that users
    # get, not the older ones that other tests use.
    compiled = lowered.compile(
        {
            "xla_backend_optimization_level": 0,
            "xla_llvm_disable_expensive_passes": True,
            "xla_cpu_use_fusion_emitters": True,
        }
    )
    cost, memory, text = compiled.cost_analysis(), compiled.memory_analysis(), compiled.as_text()
    return {
        "lowered operations": lowered.as_text().count(" = "),
        "compiled operations": text.count(" = "),
        "kernels": text.count(" fusion("),
        "floating-point operations": cost["flops"],
        "bytes accessed": cost["bytes accessed"],
        "temporary bytes": memory.temp_size_in_bytes,
    }


if __name__ == "__main__":
    now = measure()
    if "--accept" in sys.argv[1:]:
        ACCEPTED.write_text(json.dumps(now, indent=2) + "\n")
    before = json.loads(ACCEPTED.read_text()) if ACCEPTED.exists() else now
    for name, figures in now["programs"].items():
        for figure, value in figures.items():
            print(f"{name:32s} {figure:28s} {value:14.4g} {before['programs'][name][figure]:14.4g}")
