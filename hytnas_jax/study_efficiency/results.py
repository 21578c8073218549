"""The numbers of an efficiency study: what each subject costs, counted and on every device."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from hytnas_jax.study_efficiency.device_table import DeviceTable
from hytnas_jax.study_efficiency.parts import StudyPart
from hytnas_jax.study_efficiency.plan import Plan
from hytnas_jax.study_efficiency.sensitivity import factorial_shares
from hytnas_jax.study_efficiency.subjects import BATCH, EMBEDS, HEAD_SIZES, HEADS, OTHERS, Subject
from proxies.complexity import Complexity
from proxies.latency.features import feature_table
from proxies.latency.predictor import MIN_NETWORKS, LatencyPredictor
from supernet.network_spec import NetworkSpec

# What an attention block is measured by beside latencies: the figure's name, the field of `Complexity`.
COUNTED = {
    "MACs": "num_macs",
    "parameters": "num_parameters",
    "peak memory": "peak_activation_bytes",
    "file size": "model_bytes",
}
# The two ways to name a block's attention: the hyperparameter beside the heads, its values.
NAMINGS = {"embed": EMBEDS, "head_size": HEAD_SIZES}


def latency_on(device: str) -> str:
    """What the latency on a device is called beside other quantities."""
    return f"latency@{device}"


@dataclasses.dataclass(frozen=True, eq=False)
class EfficiencyStudy:
    """A plan, what it counts of each subject, and the devices that have measured them."""

    plan: Plan
    subjects: Sequence[Subject]
    counts: dict[str, Complexity]
    devices: Sequence[DeviceTable]

    @classmethod
    def of(cls, plan: Plan, devices: Sequence[DeviceTable]) -> "EfficiencyStudy":
        """Count everything; a second or two."""
        subjects = plan.subjects()
        return cls(plan, subjects, {subject.name: subject.counts() for subject in subjects}, devices)

    def part(self, part: StudyPart) -> list[Subject]:
        """The subjects of a part, without those of several images at once."""
        return [subject for subject in self.subjects if subject.part == part and subject.batch == 1]

    def devices_with(self, part: StudyPart) -> list[DeviceTable]:
        """The devices that have measured anything of a part."""
        names = [subject.name for subject in self.part(part)]
        return [device for device in self.devices if any(name in device.timings for name in names)]

    def drawn_on(self, device: DeviceTable) -> list[Subject]:
        """The networks of the space that a device has measured."""
        return [subject for subject in self.part("space") if subject.name in device.timings]

    def latency_ms(self, device: DeviceTable, name: str) -> float | None:
        """Milliseconds; None where the device has not measured it."""
        return device.timings[name].latency_ms if name in device.timings else None

    def rows(self, part: StudyPart) -> list[dict[str, Any]]:
        """A row for each subject: its labels, its counts, and on each device milliseconds and images a
        second (of published networks those with `BATCH` images at once too)."""
        return [dict(self._cells(subject)) for subject in self.part(part)]

    def _cells(self, subject: Subject) -> Iterator[tuple[str, Any]]:
        yield from {"name": subject.name, **subject.labels}.items()
        yield from dataclasses.asdict(self.counts[subject.name]).items()
        for device in self.devices:
            latency_ms = self.latency_ms(device, subject.name)
            yield f"latency_ms@{device.name}", latency_ms
            yield f"images_per_second@{device.name}", latency_ms and 1000 / latency_ms
            batch_ms = self.latency_ms(device, f"{subject.name}-batch{BATCH}")
            if batch_ms is not None:
                yield f"images_per_second_batch{BATCH}@{device.name}", 1000 * BATCH / batch_ms

    def predictors(self) -> dict[str, LatencyPredictor]:
        """By device: fitted to the networks of the space, where enough were measured."""
        found = {}
        for device in self.devices:
            drawn = self.drawn_on(device)
            if len(drawn) >= MIN_NETWORKS:
                specs = [subject.what for subject in drawn if isinstance(subject.what, NetworkSpec)]
                times = np.array([device.timings[subject.name].latency_ms for subject in drawn])
                found[device.name] = LatencyPredictor.fit(feature_table(specs), times)
        return found

    def attention_tables(self, naming: str) -> dict[str, np.ndarray]:
        """By quantity: the costs of all combinations, float64 [3, 3, 3, 3, 3].

        The axes are `naming` ("embed" or "head_size"), heads, and those of `OTHERS`. A device that lacks any
        of all attention blocks is left out, by either name.
        """
        index = {name: axis for axis, name in enumerate((naming, "heads", *OTHERS))}
        levels = {naming: NAMINGS[naming], "heads": HEADS, **OTHERS}
        places: dict[tuple[int, ...], str] = {}
        blocks = self.part("attention")
        for subject in blocks:
            labels = {**subject.labels, "head_size": subject.labels["embed"] // subject.labels["heads"]}
            if all(labels[name] in levels[name] for name in index):
                places[tuple(levels[name].index(labels[name]) for name in index)] = subject.name
        shape = tuple(len(levels[name]) for name in index)
        tables = {}
        for device in self.devices:
            if all(subject.name in device.timings for subject in blocks):
                table = tables[latency_on(device.name)] = np.empty(shape)
                for place, name in places.items():
                    table[place] = device.timings[name].latency_ms
        for quantity, field in COUNTED.items():
            tables[quantity] = np.empty(shape)
            for place, name in places.items():
                tables[quantity][place] = getattr(self.counts[name], field)
        return tables

    def attention_shares(self, naming: str) -> dict[str, dict[str, float]]:
        """By quantity and hyperparameter: the total share of the variance of its logarithm."""
        names = (naming, "heads", *OTHERS)
        return {
            quantity: dict(zip(names, factorial_shares(np.log(table))[1].tolist(), strict=True))
            for quantity, table in self.attention_tables(naming).items()
        }
