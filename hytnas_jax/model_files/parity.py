"""Whether an exported file computes what its network computes in JAX, and how good it is on real images.

Letter: B images.
"""

import dataclasses
import functools

import numpy as np

from hytnas_jax.model_files.runtimes import Images, Outputs, batched
from hytnas_jax.numbers import counted
from hytnas_jax.tasks import VisionTask
from supernet.errors import UserError
from supernet.model import Tree
from supernet.network import compiled_outputs
from supernet.network_spec import NetworkSpec
from supernet.tasks.base import Targets

# Largest difference of outputs over the largest output. Float32 sums in another order, BatchNorm
# folded in: about 1e-5.
TOLERANCE = 1e-3


class ExportMismatch(RuntimeError):
    """The file does not compute what the network does: a bug, or weights beyond float32."""


@dataclasses.dataclass(frozen=True)
class Check:
    """How a file and JAX agreed on `num_images` images of the validation split.

    quality: of the file, on these images; `quality_in_jax` that of the network.
    same_class: the share of the images, or of their cells, with the same most probable class; `tied` of those
        whose two best logits differ by no more than twice the tolerance. Logits within the tolerance give
        every other one the same class.
    correlation: of all outputs of both.
    max_difference: of any two outputs; `scale` is the largest one of JAX.
    """

    num_images: int
    quality: float
    quality_in_jax: float
    same_class: float
    tied: float
    correlation: float
    max_difference: float
    scale: float

    @property
    def loss(self) -> float:
        """How much less the file's quality is than that of the network in JAX."""
        return self.quality_in_jax - self.quality


def jax_outputs(spec: NetworkSpec, params: Tree, stats: Tree, images: Images) -> Outputs:
    """Outputs [B, ...] of normalised images [B, R, R, C].

    Raises UserError where they are not finite: the network's training has diverged.
    """
    outputs = batched(functools.partial(compiled_outputs(spec), params, stats), images)
    if not np.isfinite(outputs).all():
        raise UserError(
            f"network {spec.name}: its retrained weights give outputs that are not finite, so its training "
            "has diverged; retrain it with a lower learning rate"
        )
    return outputs


def compare(expected: Outputs, found: Outputs, task: VisionTask, targets: Targets) -> Check:
    """The agreement of outputs [B, ...] of JAX and of a file, on images of these targets [B, ...]."""
    scale = float(np.abs(expected).max())
    logits, logits_in_jax = (task.class_logits(outputs) for outputs in (found, expected))
    best = np.sort(logits_in_jax, axis=-1)[..., -2:]
    tied = best[..., -1] - best[..., 0] <= 2 * TOLERANCE * scale
    same = logits.argmax(axis=-1) == logits_in_jax.argmax(axis=-1)
    constant = np.ptp(found) == 0 or np.ptp(expected) == 0
    return Check(
        num_images=len(expected),
        quality=task.file_quality(found, targets),
        quality_in_jax=task.file_quality(expected, targets),
        same_class=float(np.mean(same)),
        tied=float(np.mean(tied)),
        correlation=0.0 if constant else float(np.corrcoef(expected.ravel(), found.ravel())[0, 1]),
        max_difference=float(np.abs(expected - found).max()),
        scale=scale,
    )


def refuse_mismatch(check: Check, *, what: str, is_integer: bool) -> None:
    """Raises ExportMismatch, which calls the file `what`, where it is not the network.

    Of a float file every output must be that of JAX to `TOLERANCE`. An integer one only has to give numbers:
    its accuracy says what it is worth.
    """
    limit = np.inf if is_integer else TOLERANCE * check.scale
    if check.max_difference <= limit and np.isfinite(check.max_difference):
        return
    raise ExportMismatch(
        f"{what} and JAX differ by {check.max_difference:.3g} in an output, "
        f"on {counted(check.num_images, 'image')} "
        f"whose largest output is {check.scale:.3g}; allowed is {limit:.3g}. The file was not written"
    )
