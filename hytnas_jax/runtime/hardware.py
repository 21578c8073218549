"""What the hardware at hand is good at."""

from typing import Any

import jax
import jax.numpy as jnp


def compute_dtype() -> Any:
    """What activations are computed in: bfloat16 where the hardware multiplies it fast, else float32."""
    return jnp.float32 if jax.default_backend() == "cpu" else jnp.bfloat16
