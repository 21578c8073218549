"""Where both supernets of `benchmarks.supernet.speed` run, chosen before either library computes anything."""

import os
from typing import Literal

from supernet.errors import UserError

Device = Literal["cpu", "gpu"]
MEMORY_FRACTION = ".45"  # of a GPU, that JAX takes for itself; the peer lives in the same process


def choose_device(device: Device) -> None:
    """From here on JAX computes there.

    Raises:
      UserError: JAX sees no GPU.
    """
    os.environ.setdefault("XLA_PYTHON_CLIENT_MEM_FRACTION", MEMORY_FRACTION)
    import jax

    jax.config.update("jax_platforms", device)
    try:
        jax.devices()
    except RuntimeError as error:
        raise UserError(
            f"--device {device}: JAX sees none ({str(error).splitlines()[0]}); install JAX for yours "
            '(pip install "jax[cuda12]"), or take --device cpu'
        ) from None


def require_torch(device: Device, *, compiled: bool) -> None:
    """Whether PyTorch can do its part.

    Raises:
      UserError: it sees no GPU, or `torch.compile` finds no compiler that works.
    """
    import torch

    if device == "gpu" and not torch.cuda.is_available():
        raise UserError(
            f"--device gpu: PyTorch {torch.__version__} sees none; install a build for your GPU "
            "(https://pytorch.org/get-started), or take --device cpu"
        )
    if compiled:
        try:
            torch.compile(lambda x: x.sin() + 1)(torch.ones(2, device=torch_device(device)))
        except Exception as error:  # of whichever of its parts is missing
            raise UserError(
                f"--compiled-peer: torch.compile does not work here ({str(error).splitlines()[0]}); "
                "it needs a C++ compiler (g++), and Triton on a GPU"
            ) from None


def torch_device(device: Device) -> str:
    """PyTorch's name for it."""
    return "cuda" if device == "gpu" else "cpu"
