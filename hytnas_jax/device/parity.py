"""Whether an exported ONNX model computes what its network computes in JAX."""

import dataclasses

import jax
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from supernet.errors import UserError
from supernet.model import Tree
from supernet.network import stand_alone
from supernet.network_spec import NetworkSpec

# Largest difference of logits over the largest logit. Float32 sums in another order, BatchNorm
# folded in: about 1e-5.
TOLERANCE = 1e-3


class ExportMismatch(RuntimeError):
    """The ONNX model does not compute what the network does: a bug, or weights beyond float32."""


@dataclasses.dataclass(frozen=True)
class Parity:
    """How ONNX Runtime and JAX agreed on `num_pictures` pictures.

    max_difference: of any two logits.
    scale: the largest logit of JAX, of which `max_difference` is at most `TOLERANCE`.
    num_same_class: pictures with the same most probable class.
    num_tied: pictures whose two best logits differ by no more than twice the tolerance. Logits within the
        tolerance give every other picture the same class, so the class is not checked once more.
    """

    num_pictures: int
    max_difference: float
    scale: float
    num_same_class: int
    num_tied: int


def check_parity(
    model: bytes, spec: NetworkSpec, params: Tree, stats: Tree, images: NDArray[np.float32]
) -> Parity:
    """Run both on the same normalised pictures [B, R, R, C].

    Raises:
        UserError: the network's own logits are not finite: its training has diverged.
        ExportMismatch: a logit differs by more than `TOLERANCE` allows.
    """
    apply = jax.jit(lambda params, stats, images: stand_alone(spec).apply(params, stats, images, train=False))
    expected = np.asarray(apply(params, stats, images)[0])
    if not np.isfinite(expected).all():
        raise UserError(
            f"network {spec.name}: its retrained weights give logits that are not finite, so its training "
            "has diverged; retrain it with a lower learning rate"
        )
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {session.get_inputs()[0].name: images})
    return compare_logits(expected, logits, name=spec.name)


def compare_logits(expected: NDArray[np.float32], logits: NDArray[np.float32], *, name: str) -> Parity:
    """The agreement of logits [B, num_classes] of JAX and of ONNX Runtime, at `TOLERANCE`.

    Raises ExportMismatch, which calls the network `name`, as `check_parity` does.
    """
    scale = float(np.abs(expected).max())
    difference = float(np.abs(expected - logits).max())
    limit = TOLERANCE * scale
    if not difference <= limit:  # a NaN too
        raise ExportMismatch(
            f"network {name}: ONNX Runtime and JAX differ by {difference:.3g} in a logit, on {len(expected)} "
            f"pictures whose largest logit is {scale:.3g}; allowed is {limit:.3g}. Nothing was exported"
        )
    best = np.sort(expected, axis=1)[:, -2:]
    tied = best[:, -1] - best[:, 0] <= 2 * limit
    same = expected.argmax(axis=1) == logits.argmax(axis=1)
    return Parity(len(expected), difference, scale, int(same.sum()), int(tied.sum()))
