"""A work folder to search in within a second: an invented error, and a device that is a sum over features."""

import csv
import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from hytnas_jax.accuracy.trained_error import TrainedError
from hytnas_jax.on_device.measure import Timing
from hytnas_jax.search.config import Config
from hytnas_jax.workspace.project import Project
from proxies.base import Estimate
from proxies.latency.features import latency_features
from proxies.supernet_accuracy import SupernetError
from supernet.architecture import Architecture
from supernet.network_spec import NetworkSpec
from supernet.search_space import SearchSpace
from supernet.stage_space import StageSpace

SPACE = SearchSpace(
    "two stages",
    (
        StageSpace(stride=1, depth=(1, 2, 3), expansion=(1, 2), width=(4, 8, 12)),
        StageSpace(
            block=("conv", "attention"),
            depth=(1, 2),
            expansion=(1, 2),
            width=(8, 12, 16),
            embed=(8, 16),
            heads=(1, 2),
            ffn_ratio=(1,),
            patch=(2, 4),
        ),
    ),
    resolution=(8,),
    stem_width=4,
    stem_stride=1,
)
FILES = ("evaluations.csv", "random.csv", "pareto.json")
INITIAL, BATCH, EVALUATIONS = 6, 4, 16


class Cut(KeyboardInterrupt):
    """What a Ctrl-C is to the command."""


class FakeError(SupernetError):
    """Falls with width and depth; counts its calls, and may fail or be cut at one of them."""

    def __init__(self, cut_at: int | None = None, fails: Callable[[int], bool] = lambda call: False):
        self.calls: list[str] = []
        self.cut_at = cut_at
        self.fails = fails

    def estimate(self, architectures: Sequence[Architecture]) -> Estimate:
        errors, losses = np.zeros((2, len(architectures)))
        for index, architecture in enumerate(architectures):
            if len(self.calls) == self.cut_at:
                raise Cut
            self.calls.append(architecture.name)
            size = sum(stage.width * stage.depth for stage in architecture.stages)
            failed = self.fails(len(self.calls))
            losses[index] = np.nan if failed else 100.0 / size
            errors[index] = np.nan if failed else 1.0 / (1.0 + size / 20.0)
        return Estimate(errors, details={"loss": losses})


class FakeTrainedError(TrainedError):
    """As `FakeError` without its failures, unsure by a tenth; three networks have been trained."""

    def __init__(self) -> None:
        drawn = SPACE.sample(np.random.default_rng(7), 3)
        self.known = tuple(SPACE.decode_all(SPACE.canonical(drawn)))

    def estimate(self, architectures: Sequence[Architecture]) -> Estimate:
        errors = FakeError()(architectures)
        return Estimate(errors, 0.1 * errors)


class Device:
    """Stands in for the timing of models, which are specifications in JSON.

    slowdown: of all models. noise: relative, of each timing. cut_at: the call during which the power fails.
    """

    def __init__(self, slowdown: float = 1.0, noise: float = 0.0, cut_at: int | None = None) -> None:
        self.slowdown, self.noise, self.cut_at = slowdown, noise, cut_at
        self.timed: list[list[str]] = []
        self._rng = np.random.default_rng()

    def __call__(self, models: Iterable[bytes], **options: object) -> Iterator[tuple[int, Timing]]:
        call = len(self.timed)
        self.timed.append([])
        for index, model in enumerate(models):
            if call == self.cut_at and index == 7:
                raise Cut
            spec = NetworkSpec.from_json(json.loads(model))
            self.timed[-1].append(spec.name)
            ms = self.slowdown * device_ms(spec) * (1 + self.noise * self._rng.uniform(-1, 1))
            yield index, Timing(ms, 0.99 * ms, 1.01 * ms, 9)

    @staticmethod
    def build(spec: NetworkSpec) -> bytes:
        """In the place of `build_onnx`."""
        return json.dumps(spec.to_json()).encode()


def device_ms(spec: NetworkSpec) -> float:
    """How long the device takes."""
    return float(latency_features(spec).sum() / 1e5)


def config(project: Project, **changes: object) -> Config:
    given = Config(
        project.workdir.path,
        objectives=("error", "latency_ms"),
        evaluations=EVALUATIONS,
        initial=INITIAL,
        batch=BATCH,
    )
    return dataclasses.replace(given, **changes)


def rows(project: Project, name: str = "evaluations.csv") -> list[dict[str, str]]:
    with (project.workdir.path / "search" / name).open(newline="") as file:
        return list(csv.DictReader(file))


def pareto(project: Project) -> dict:
    return json.loads((project.workdir.path / "search" / "pareto.json").read_text())


def results(project: Project) -> dict[str, str]:
    """The files of a search, without the seconds."""
    texts = {}
    for name in FILES:
        lines = (project.workdir.path / "search" / name).read_text().splitlines()
        texts[name] = "\n".join(line.rsplit(",", 1)[0] if name.endswith("csv") else line for line in lines)
    return texts
