"""Where both supernets of `benchmarks.supernet.speed` run, chosen before either library computes anything."""

import os
from typing import Literal

from supernet.errors import UserError

Device = Literal["cpu", "gpu"]
# Of a GPU's memory, what JAX takes: with the peer in the same process, and alone (JAX's own default).
MEMORY_FRACTION, ALONE = ".45", ".75"
# JAX reads "gpu" as CUDA, ROCm and others, and fails where one of them is not installed.
PLATFORMS: dict[Device, str] = {"cpu": "cpu", "gpu": "cuda,cpu"}


def choose_device(device: Device) -> None:
    """From here on JAX computes there.

    Raises:
      UserError: JAX sees no GPU.
    """
    os.environ.setdefault("XLA_PYTHON_CLIENT_MEM_FRACTION", MEMORY_FRACTION)
    import jax

    jax.config.update("jax_platforms", PLATFORMS[device])
    try:
        found = jax.default_backend()
        why = f"it would take the {found}"
    except RuntimeError as error:
        found, why = None, str(error).splitlines()[0]
    if found != device:
        raise UserError(
            f"--device {device}: JAX sees none ({why}); install JAX for yours "
            '(pip install "jax[cuda12]"), or take --device cpu'
        )


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
