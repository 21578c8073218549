"""What can be searched for, by name, for the flags: it needs no JAX.

| objective | unit | where it comes from |
|---|---|---|
| error | | error rate of the subnet with the supernet's weights on the validation split; evaluated |
| blended_error | | supernet's loss and MACs of 1x1 convolutions in equal parts, for ranking; evaluated |
| trained_error | | error rate after training: the estimate of `accuracy/trained_error`; evaluated |
| zen_score | | Zen-score at random weights; evaluated |
| latency_ms | ms | the latency predictor of `measure_latency`; known |
| latency_ms@NAME, energy_mj@NAME | ms, mJ | those of the device NAME, of `fit_latency`; known |
| parameters, macs | , MACs | counted from the network; known |
| peak_memory, peak_memory_int8 | bytes | of activations, in a TFLite file in floats or int8; known |
| model_bytes, model_bytes_int8 | bytes | size of that file; known |
| energy_estimate | uJ | estimated from operations and bytes at published energies, not measured; known |
"""

from collections.abc import Collection, Sequence

from hytnas_jax.shared_flags.device_names import QUANTITIES, check_device_name, split_objective
from hytnas_jax.shared_flags.limits import COUNTED, LATENCY
from supernet.errors import UserError

# Error rates, the one that says most of a network that is trained on its own last.
ERRORS = ("error", "blended_error", "trained_error")
OBJECTIVES = (*ERRORS, "zen_score", LATENCY, *COUNTED, "energy_estimate")
# What the surrogates see of an architecture beside its genes. Measured by benchmarks/search/features.py on
# digits (GP, Spearman's rho on networks not fitted, from 32 / 96 fitted): genes 0.654 / 0.764, with
# parameters and MACs 0.659 / 0.751, with the Zen-score of one repeat 0.711 / 0.772, Zen-score alone 0.692 /
# 0.704. Complexity is not worth it. The Zen-score would be early on, but costs 9 ms a network, 22 s for the
# 2,500 networks that one suggestion looks at: it can be an objective, and is no feature.
FEATURES: dict[str, tuple[str, ...]] = {
    "genes": (),
    "genes+complexity": ("parameters", "macs"),
}


def error_of(names: Collection[str]) -> str | None:
    """Of objectives, the error rate that says most of a network that is trained on its own; None without."""
    return next((name for name in reversed(ERRORS) if name in names), None)


def check_names(names: Sequence[str], features: str) -> None:
    """Raises UserError unless these are two to four different objectives, and features, that there are."""
    shown = " ".join(names)
    for name in names:
        found = split_objective(name)
        if found is not None:
            check_device_name(found[1])
        elif name not in OBJECTIVES:
            known = ", ".join((*OBJECTIVES, *(f"{quantity}@NAME" for quantity in QUANTITIES)))
            raise UserError(f"--objectives {shown}: {name!r} is none; choose from {known}")
    if features not in FEATURES:
        raise UserError(f"--features {features}: choose one of {', '.join(FEATURES)}")
    if not 2 <= len(names) <= 4 or len(set(names)) < len(names):
        raise UserError(f"--objectives {shown}: give two to four different ones of {', '.join(OBJECTIVES)}")


def on_device(name: str, device: str | None) -> str:
    """The objective `name` where `latency_ms` means that of a device, None for this machine."""
    return f"{LATENCY}@{device}" if device is not None and name == LATENCY else name
