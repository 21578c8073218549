"""What a work folder is about: one data set and one search space, fixed by the first command."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from hytnas_jax import console
from hytnas_jax.data import Dataset, Pictures, load_dataset, picture_side, prepare
from hytnas_jax.mirroring import mirroring_of
from hytnas_jax.space_file import load_space
from hytnas_jax.workdir import Step, Workdir, read_json, write_json
from supernet.architecture import Architecture
from supernet.errors import UserError
from supernet.network_spec import NetworkSpec
from supernet.search_space import SearchSpace
from supernet.spaces import space_from_mapping, space_to_mapping

SMALL_PICTURES = 32  # pixels; up to here the default space is hybrid-small


@dataclasses.dataclass(frozen=True)
class Project:
    """A work folder's space and data; the pictures themselves are loaded by `dataset`."""

    workdir: Workdir
    space: SearchSpace
    class_names: tuple[str, ...]
    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    mirror: bool
    source: str

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    @property
    def done_id(self) -> str:
        """What the next steps note as their input: another data set has another one."""
        return self.workdir.step("data").done()["id"]

    def to_spec(self, architecture: Architecture) -> NetworkSpec:
        """The stand-alone network of an architecture for this data."""
        return self.space.network_spec(architecture, num_classes=self.num_classes, channels=self.channels)

    def dataset(self) -> Dataset:
        """The pictures, read again. Raises UserError where they are not those the work began with."""
        settings = read_json(self.workdir.path / "data" / "settings.json")["settings"]
        dataset = _load(settings)
        path = self.workdir.path / "data" / "splits.json"
        if dataset.splits_to_json() != read_json(path):
            raise UserError(
                f"data={self.source}: the pictures have changed since {path} was written; restore them, "
                "or give another --workdir"
            )
        return dataset

    def prepared(self, pictures: Pictures, resolution: int) -> np.ndarray:
        """All pictures as a network of that resolution takes them: float32 [N, R, R, C]."""
        parts = [
            np.asarray(prepare(jnp.asarray(part), resolution=resolution, mean=self.mean, std=self.std))
            for part in np.array_split(pictures.images, -(-len(pictures) // 512))
        ]
        return np.concatenate(parts)


def create_project(
    workdir: Workdir,
    *,
    data: str,
    data_dir: Path | None,
    space: str | None,
    resolutions: Sequence[int],
    max_pictures: int | None,
    skip_corrupt: bool,
    seed: int,
    mirror: str = "auto",
) -> tuple[Project, Dataset]:
    """Fix the work folder's data and space, or check that they are the ones it has.

    Raises:
      UserError: for unusable data or space, and for values other than those of an earlier call.
    """
    directory = None if data_dir is None else str(data_dir)
    native = picture_side(data, data_dir=directory)
    chosen = load_space(space or ("hybrid-small" if native <= SMALL_PICTURES else "hybrid"))
    chosen = chosen.with_resolutions(resolutions or default_resolutions(chosen.resolution, native))
    step = workdir.step("data")
    settings = {
        "data": data,
        "data_dir": directory,
        "max_pictures": max_pictures,
        "skip_corrupt": skip_corrupt,
        "mirror": mirroring_of(step, mirror, data=data, data_dir=directory).setting,
        "seed": seed,
        "side": min(max(chosen.resolution), native),
        "space": space_to_mapping(chosen),
    }
    step.begin(settings)
    if step.is_done:
        project = open_project(workdir)
        return project, project.dataset()
    dataset = _load(settings)
    if dataset.left_out:
        console.warn(f"{data}: {dataset.left_out}")
    write_json(step.folder / "splits.json", dataset.splits_to_json())
    step.finish(_counts(dataset))
    return open_project(workdir), dataset


def open_project(workdir: Workdir) -> Project:
    """The project of a work folder. Raises UserError where `train_supernet` has not begun it."""
    step: Step = workdir.step("data")
    step.require("train_supernet")
    settings = read_json(step.folder / "settings.json")["settings"]
    splits = read_json(step.folder / "splits.json")
    return Project(
        workdir,
        space_from_mapping(settings["space"]),
        tuple(splits["class_names"]),
        len(splits["mean"]),
        tuple(splits["mean"]),
        tuple(splits["std"]),
        settings["mirror"] == "on",
        settings["data"],
    )


def default_resolutions(choices: Sequence[int], native: int) -> tuple[int, ...]:
    """The two largest of a space's resolutions that pictures of side `native` reach, or its smallest two."""
    reached = [r for r in sorted(choices) if r <= native]
    return tuple(reached[-2:] if len(reached) >= 2 else sorted(choices)[:2])


def _load(settings: dict[str, Any]) -> Dataset:
    with console.progress(0, "reading pictures") as bar:
        return load_dataset(
            settings["data"],
            side=settings["side"],
            data_dir=settings["data_dir"],
            seed=settings["seed"],
            max_pictures=settings["max_pictures"],
            skip_corrupt=settings["skip_corrupt"],
            progress=lambda done, total: bar.note(f"{done} of {total}"),
        )


def _counts(dataset: Dataset) -> dict[str, Any]:
    sizes = {name: len(getattr(dataset, name)) for name in ("train", "search", "test")}
    return {
        **sizes,
        "classes": list(dataset.class_names),
        "skipped": len(dataset.skipped),
        "left_out": dataset.left_out,
    }
