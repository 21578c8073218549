"""A study whose times are made up, so that what is to be found in them is known."""

import csv
from pathlib import Path

from one_stage_space import SPACE

from hytnas_jax.on_device.measure import TIMING
from hytnas_jax.study_efficiency.plan import Plan
from hytnas_jax.study_efficiency.subjects import Subject

PLAN = Plan(space=SPACE, resolution=32, num_classes=2, channels=3, networks=12, seed=0)
ABOUT = {
    "device": "toaster",
    "threads": "1",
    "runtime": "onnxruntime 1",
    "processor": "none",
    "kit": PLAN.identity,
}


def latency_ms(subject: Subject) -> float:
    """Of an attention block embed * sqrt(depth); of all others a millisecond a million MACs."""
    if subject.part == "attention":
        return subject.labels["embed"] * subject.labels["depth"] ** 0.5
    return subject.batch * subject.counts().num_macs / 1e6


def write_table(path: Path, subjects: list[Subject], **about: str) -> None:
    """A table as a kit's script writes it."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*TIMING, *ABOUT])
        writer.writeheader()
        for subject in subjects:
            ms = latency_ms(subject)
            timing = dict(zip(TIMING, (subject.name, ms, 0.9 * ms, 1.1 * ms, 9), strict=True))
            writer.writerow({**timing, **ABOUT, **about})
