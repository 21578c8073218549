"""What an efficiency study is about: one space, one kind of images, fixed by its first command."""

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from hytnas_jax.files.atomic import read_json
from hytnas_jax.study_efficiency.subjects import Subject, attention_blocks, operations, published
from hytnas_jax.workspace.workdir import Step, Workdir, command_line
from supernet.architecture import Architecture
from supernet.errors import UserError
from supernet.network_spec import NetworkSpec
from supernet.search_space import SearchSpace
from supernet.spaces import space_from_mapping, space_to_mapping

STEP = "efficiency"


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is measured on every device.

    space: which `networks` are drawn from, with `seed`. resolution: of the published networks' images.
    num_classes, channels: of all networks.
    """

    space: SearchSpace
    resolution: int
    num_classes: int
    channels: int
    networks: int
    seed: int

    @property
    def identity(self) -> str:
        """Of kits: equal where the plan is."""
        return f"study-{hashlib.sha256(json.dumps(self.to_json()).encode()).hexdigest()[:12]}"

    def to_json(self) -> dict[str, Any]:
        """The settings of the step."""
        return {**dataclasses.asdict(self), "space": space_to_mapping(self.space)}

    def subjects(self) -> list[Subject]:
        """All of them, in a fixed order, their names different."""
        return [
            *published(resolution=self.resolution, num_classes=self.num_classes, channels=self.channels),
            *operations(),
            *attention_blocks(),
            *self._drawn(),
        ]

    def to_spec(self, architecture: Architecture) -> NetworkSpec:
        """The network of an architecture of the space."""
        return self.space.network_spec(architecture, num_classes=self.num_classes, channels=self.channels)

    def _drawn(self) -> Iterator[Subject]:
        codes = self.space.sample(np.random.default_rng(self.seed), 2 * self.networks)
        _, first = np.unique(codes, axis=0, return_index=True)
        for architecture in self.space.decode_all(codes[np.sort(first)[: self.networks]]):
            genes = self.space.to_json(architecture)["genes"]
            yield Subject(f"drawn-{architecture.name}", "space", self.to_spec(architecture), genes)


def open_plan(workdir: Workdir) -> tuple[Plan, Step]:
    """The plan of a work folder, and its step. Raises UserError where study_efficiency has not begun it."""
    step = workdir.step(STEP)
    path = step.folder / "settings.json"
    if not path.exists():
        raise UserError(
            f"step {STEP!r} is needed first and has not been made in {workdir.path}; run: "
            f"{command_line('study_efficiency', workdir.path)}"
        )
    settings = read_json(path)["settings"]
    return Plan(**{**settings, "space": space_from_mapping(settings["space"])}), step
