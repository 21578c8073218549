"""Our depthwise convolution on a CPU beside XLA's own, forward and with gradients.

    python -m benchmarks.supernet.depthwise_conv

Kernels 3, 5, 7 and strides 1, 2 over maps of the built-in spaces. They take turns; the least time counts.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.common import least_seconds, main, require_at_least
from hytnas_jax import console
from supernet import ops
from supernet.errors import UserError

# Side of the map and hidden channels in: `hybrid` at 48 pixels (24 to 3), `hytnas` at 224 (112, 56).
SHAPES = ((24, 16), (24, 64), (12, 96), (6, 192), (3, 256), (56, 64), (112, 32))
TOLERANCE = 5e-5  # of the largest value: XLA sums 200,000 products one after the other on the largest map


@dataclasses.dataclass(frozen=True)
class Config:
    """Compare depthwise convolutions."""

    batch: int = 16
    """Images."""
    rounds: int = 2
    """How often each is timed."""
    name: str = "depthwise_conv"
    """Of the result's file."""


def benchmark(config: Config) -> dict[str, Any]:
    """Measure and print the table."""
    require_at_least(config, {"batch": 1, "rounds": 1})
    if jax.default_backend() != "cpu":
        raise UserError("this compares what is used on a CPU; elsewhere XLA's own is: set JAX_PLATFORMS=cpu")
    rows = []
    with console.progress(SHAPES, "shapes") as bar:
        for side, channels in bar:
            for kernel in (3, 5, 7):
                rows += [compare(config, side, channels, kernel, stride) for stride in (1, 2)]
    header = tuple(rows[0])
    console.table([tuple(row.values()) for row in rows], header)
    worst = {name: min(row[name] for row in rows) for name in header if name.endswith("ratio")}
    console.say(f"the least of the ratios: {worst}")
    return {
        "rows": rows,
        "least": worst,
    }


def _done(function: Callable[..., Any], *arrays: Any) -> Any:
    return jax.block_until_ready(function(*arrays))


def compare(config: Config, side: int, channels: int, kernel: int, stride: int) -> dict[str, Any]:
    """Milliseconds of ours and XLA's, forward and forward with both gradients; and that they are equal."""
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.standard_normal((config.batch, side, side, channels), np.float32))
    weights = jnp.asarray(rng.standard_normal((kernel, kernel, channels), np.float32))
    calls: dict[str, Callable[[], Any]] = {}
    for name, conv in (("ours", ops.depthwise_conv), ("XLA's", ops.lax_depthwise)):
        forward = jax.jit(lambda x, w, conv=conv: conv(x, w, stride))

        def both(x: Any, w: Any, conv: Any = conv) -> Any:
            y, pull = jax.vjp(lambda x, w: conv(x, w, stride), x, w)
            return y, *pull(y)

        backward = jax.jit(both)
        calls[f"{name} forward"] = functools.partial(_done, forward, x, weights)
        calls[f"{name} with gradients"] = functools.partial(_done, backward, x, weights)
    check_equal(calls["ours with gradients"](), calls["XLA's with gradients"]())
    ms = {name: 1e3 * seconds for name, seconds in least_seconds(calls, config.rounds).items()}
    return {
        "side": side,
        "channels": channels,
        "kernel": kernel,
        "stride": stride,
        **{name: round(value, 2) for name, value in ms.items()},
        "forward ratio": round(ms["XLA's forward"] / ms["ours forward"], 1),
        "gradients ratio": round(ms["XLA's with gradients"] / ms["ours with gradients"], 1),
    }


def check_equal(ours: Any, expected: Any) -> None:
    """Raises AssertionError where outputs or gradients differ."""
    for a, b in zip(ours, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=TOLERANCE * float(jnp.abs(b).max()))


if __name__ == "__main__":
    main(benchmark, Config)
