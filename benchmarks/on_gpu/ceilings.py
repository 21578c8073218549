"""What this chip reaches in one large product of matrices and in one large copy, and what its maker says."""

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.on_gpu.sizes import Sizes
from benchmarks.supernet.speed.chip_ceilings import Ceilings, ceilings

CALLS, TIMES = 10, 5  # in a row, and how often that is timed


def measured_ceilings(sizes: Sizes) -> Ceilings:
    """FLOP/s of a square product in bfloat16 with float32 sums; bytes/s of adding 1, read and written."""
    side = sizes.matmul_side
    a, b = (jax.random.normal(jax.random.key(seed), (side, side), jnp.bfloat16) for seed in range(2))
    product = jax.jit(lambda a, b: jnp.dot(a, b, preferred_element_type=jnp.float32).astype(jnp.bfloat16))
    many = jax.random.normal(jax.random.key(2), (sizes.copied_bytes // 4,), jnp.float32)
    copy = jax.jit(lambda x: x + 1)  # a mere copy could be left out
    return Ceilings(
        flops_per_s=2 * side**3 / seconds_of(lambda: product(a, b)),
        bytes_per_s=2 * many.nbytes / seconds_of(lambda: copy(many)),
    )


def sent_bytes_per_s(sizes: Sizes) -> float:
    """Of an array of the host's memory that is put on the device."""
    array = np.random.default_rng(0).integers(0, 256, sizes.copied_bytes // 4, np.uint8)
    return array.nbytes / seconds_of(lambda: jax.device_put(array), calls=1)


def seconds_of(call: Callable[[], Any], *, calls: int = CALLS) -> float:
    """The median of a call's seconds, several in a row being waited for together; the first is not timed."""
    jax.block_until_ready(call())
    seconds = []
    for _ in range(TIMES):
        started = time.perf_counter()
        for _ in range(calls):
            last = call()
        jax.block_until_ready(last)
        seconds.append((time.perf_counter() - started) / calls)
    return float(np.median(seconds))


def both(sizes: Sizes) -> dict[str, Any]:
    """Measured and by the maker; the latter None for a chip that is not in the table."""
    maker = ceilings()
    return {
        "measured": dataclasses.asdict(measured_ceilings(sizes)),
        "maker": maker and dataclasses.asdict(maker),
        "sent from the host, bytes/s": sent_bytes_per_s(sizes),
    }
