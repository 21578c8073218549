"""Whether a GPU computes what the processor of the same machine does, and what the PyTorch peer does on it.

The program differs: on a GPU one tile and one tier are computed and masked, subnets are evaluated many at
once, and convolutions are XLA's. With equal weights, images and subnets the numbers are equal but for the
order of sums, in float32. After a step they drift apart, since AdamW divides a gradient by its own size, a
gradient that is nothing but rounding too: so there are two tolerances.
"""

import contextlib
import json
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from benchmarks.on_gpu import numbers as module
from benchmarks.on_gpu.numbers import Numbers, difference, evaluated, numbers
from benchmarks.on_gpu.record import Run
from benchmarks.on_gpu.sizes import Sizes
from benchmarks.supernet.speed.device import choose_device
from benchmarks.supernet.speed.ours import Ours
from hytnas_jax import console
from hytnas_jax.runtime.environment import package_version
from hytnas_jax.runtime.hardware import compute_dtype
from supernet.errors import UserError

AT_ONCE, LATER = 1e-3, 1e-2  # relative: of the same weights, and after steps
OF_ERRORS = 0.01  # absolute: an image of a hundred lies on the border of two classes


def measure(run: Run) -> None:
    """The processor computes beside the GPU: nothing is timed here."""
    choose_device(run.sizes.device)
    with _on_processor(run.sizes) as process:
        ours = numbers(run.sizes)
        run.report(numbers={"here": ours})
        theirs = _numbers_of(process, run)
    compared = comparison(ours, theirs)
    run.report(numbers={"here": ours, "on the processor": theirs}, comparison=compared)
    say(compared)
    run.report(peer=_beside_peer(run.sizes))
    run.report(rounded=_rounded(run.sizes, ours))


def comparison(ours: Numbers, theirs: Numbers) -> list[dict[str, Any]]:
    """A row for each kind of number: the largest difference, what is allowed, whether it is within."""
    kinds: list[tuple[str, str, slice, bool, float]] = [
        ("losses of the first step", "losses", slice(0, 1), True, AT_ONCE),
        ("gradient norm of the first step", "gradient norms", slice(0, 1), True, AT_ONCE),
        ("losses of later steps", "losses", slice(1, None), True, LATER),
        ("cross-entropy of evaluated subnets", "nats", slice(None), True, AT_ONCE),
        ("error rates of evaluated subnets", "errors", slice(None), False, OF_ERRORS),
    ]
    rows = []
    for what, name, which, relative, allowed in kinds:
        found = difference(ours[name][which], theirs[name][which], relative=relative)
        within = found is not None and found <= allowed
        kind = "relative" if relative else "absolute"
        rows.append({"what": what, "difference": found, "kind": kind, "tolerance": allowed, "within": within})
    return rows


def say(rows: list[dict[str, Any]]) -> None:
    """The table, and a warning for what is not equal."""
    console.table([tuple(row.values()) for row in rows], tuple(rows[0]))
    for row in rows:
        if not row["within"]:
            console.warn(f"{row['what']}: not equal to what the processor computes")


@contextlib.contextmanager
def _on_processor(sizes: Sizes) -> Iterator["subprocess.Popen[bytes]"]:
    """The process that computes there; at the end it is gone."""
    with tempfile.TemporaryFile() as given:
        pickle.dump(sizes, given)
        given.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-m", module.__name__],
            env={**os.environ, "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""},
            stdin=given,
            stdout=subprocess.PIPE,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _numbers_of(process: "subprocess.Popen[bytes]", run: Run) -> Numbers:
    try:
        told, _ = process.communicate(timeout=max(1.0, run.left()))
    except subprocess.TimeoutExpired:
        raise UserError(
            f"--seconds {run.config.seconds:g}: too few for the processor to compute the same; give more"
        ) from None
    if process.returncode:
        raise RuntimeError(f"the process on the processor ended with status {process.returncode}")
    return json.loads(told.splitlines()[-1])


def _beside_peer(sizes: Sizes) -> Mapping[str, Any]:
    """The largest differences from PyTorch's supernet of the same weights, in float32."""
    if package_version("torch") is None:
        return {"compared": False, "why": "PyTorch is not installed"}
    from benchmarks.supernet.speed.equality import TOLERANCE, NotTheSame, check_equality, full_precision
    from benchmarks.supernet.speed.peer import Peer

    workload = sizes.workload(batch=sizes.compared_batch)
    with full_precision():
        ours = Ours(workload, exact=True)
        peer = Peer(workload, exact=True, params=ours.params)
        try:
            found = check_equality(ours, peer, workload, num_architectures=sizes.compared_subnets)
        except NotTheSame as error:
            console.warn(str(error))
            return {"compared": True, "within": False, "tolerance": TOLERANCE, "why": str(error)}
    return {"compared": True, "within": True, "tolerance": TOLERANCE, "differences": found}


def _rounded(sizes: Sizes, exact: Numbers) -> dict[str, Any]:
    """What the type that the package computes in here changes; not a check: rounding is what it is for."""
    ours = Ours(sizes.workload(batch=sizes.compared_batch))
    found = evaluated(ours, sizes)
    return {
        "type": np.dtype(compute_dtype()).name,
        "nats": found["nats"],
        "largest difference in nats": difference(found["nats"], exact["nats"], relative=False),
        "deviation between subnets in nats": float(np.std(exact["nats"])),
        "largest difference in error": difference(found["errors"], exact["errors"], relative=False),
    }
