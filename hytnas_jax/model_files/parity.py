"""Whether an exported file computes what its network computes in JAX, and how good it is on real images.

Letter: B images.
"""

import dataclasses

import jax
import numpy as np
from numpy.typing import NDArray

from hytnas_jax.model_files.runtimes import Images, Logits, batched
from hytnas_jax.numbers import counted
from supernet.errors import UserError
from supernet.model import Tree
from supernet.network import stand_alone
from supernet.network_spec import NetworkSpec

# Largest difference of logits over the largest logit. Float32 sums in another order, BatchNorm
# folded in: about 1e-5.
TOLERANCE = 1e-3


class ExportMismatch(RuntimeError):
    """The file does not compute what the network does: a bug, or weights beyond float32."""


@dataclasses.dataclass(frozen=True)
class Check:
    """How a file and JAX agreed on `num_images` images of the validation split.

    accuracy: of the file, on these images; `accuracy_in_jax` that of the network.
    num_same_class: images with the same most probable class; `num_tied` those whose two best logits differ
        by no more than twice the tolerance. Logits within the tolerance give every other image the same
        class.
    correlation: of all logits of both.
    max_difference: of any two logits; `scale` is the largest logit of JAX.
    """

    num_images: int
    accuracy: float
    accuracy_in_jax: float
    num_same_class: int
    num_tied: int
    correlation: float
    max_difference: float
    scale: float

    @property
    def loss(self) -> float:
        """How much less accurate the file is than the network in JAX."""
        return self.accuracy_in_jax - self.accuracy


def jax_logits(spec: NetworkSpec, params: Tree, stats: Tree, images: Images) -> Logits:
    """Logits [B, num_classes] of normalised images [B, R, R, C].

    Raises UserError where they are not finite: the network's training has diverged.
    """
    apply = jax.jit(lambda params, stats, images: stand_alone(spec).apply(params, stats, images, train=False))
    logits = batched(lambda part: apply(params, stats, part)[0], images)
    if not np.isfinite(logits).all():
        raise UserError(
            f"network {spec.name}: its retrained weights give logits that are not finite, so its training "
            "has diverged; retrain it with a lower learning rate"
        )
    return logits


def compare(expected: Logits, found: Logits, labels: NDArray[np.integer]) -> Check:
    """The agreement of logits [B, num_classes] of JAX and of a file, on images of these classes [B]."""
    scale = float(np.abs(expected).max())
    best = np.sort(expected, axis=1)[:, -2:]
    tied = best[:, -1] - best[:, 0] <= 2 * TOLERANCE * scale
    classes, classes_in_jax = found.argmax(axis=1), expected.argmax(axis=1)
    constant = np.ptp(found) == 0 or np.ptp(expected) == 0
    return Check(
        num_images=len(expected),
        accuracy=float(np.mean(classes == labels)),
        accuracy_in_jax=float(np.mean(classes_in_jax == labels)),
        num_same_class=int(np.sum(classes == classes_in_jax)),
        num_tied=int(tied.sum()),
        correlation=0.0 if constant else float(np.corrcoef(expected.ravel(), found.ravel())[0, 1]),
        max_difference=float(np.abs(expected - found).max()),
        scale=scale,
    )


def refuse_mismatch(check: Check, *, what: str, is_integer: bool) -> None:
    """Raises ExportMismatch, which calls the file `what`, where it is not the network.

    Of a float file every logit must be that of JAX to `TOLERANCE`. An integer one only has to give numbers:
    its accuracy says what it is worth.
    """
    limit = np.inf if is_integer else TOLERANCE * check.scale
    if check.max_difference <= limit and np.isfinite(check.max_difference):
        return
    raise ExportMismatch(
        f"{what} and JAX differ by {check.max_difference:.3g} in a logit, "
        f"on {counted(check.num_images, 'image')} "
        f"whose largest logit is {check.scale:.3g}; allowed is {limit:.3g}. The file was not written"
    )
