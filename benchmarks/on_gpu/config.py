"""The flags of `benchmarks.on_gpu`."""

import dataclasses
from pathlib import Path

from benchmarks.common import RESULTS
from benchmarks.on_gpu.parts import Call, PartName
from benchmarks.on_gpu.sizes import FULL, SMOKE, Sizes


@dataclasses.dataclass(frozen=True)
class Config:
    """Measure on one NVIDIA GPU, in three calls of at most nine minutes each."""

    call: Call = "all"
    """Which of the calls; all: one after the other."""
    part: PartName | None = None
    """Only this part of a call, in this process."""
    out: Path | None = None
    """Folder of the results. If not given: benchmarks/results/on_gpu, or with --smoke runs/on_gpu."""
    seconds: float = 520
    """Of a call, or of the part. What they do not allow is skipped, and named in the result."""
    data: str = "tfds:cifar10"
    """Images of the main job, as --data of hytnas_jax has it. Where they are not there, it takes digits."""
    data_dir: Path | None = None
    """Where TensorFlow Datasets lie prepared."""
    epochs: int | None = None
    """How often the main job's supernet sees each image, if not as often as usual here."""
    commit: str | None = None
    """What is noted as the commit, for a copy of the project without its history."""
    smoke: bool = False
    """See that all parts run, in tiny sizes on a processor: about a minute. Such figures mean nothing."""

    @property
    def sizes(self) -> Sizes:
        return SMOKE if self.smoke else FULL

    @property
    def folder(self) -> Path:
        """Where results go."""
        return self.out or (Path("runs/on_gpu") if self.smoke else RESULTS / "on_gpu")
