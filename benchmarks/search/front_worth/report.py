"""What `front_worth` says of its sets: hypervolumes with intervals, CPU hours, a table and a figure.

Letters: S seeds, R resamples.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from benchmarks.search.front_worth.measures import Box, Points, Resamples, cheapest_as_good, interval
from benchmarks.search.front_worth.sets import ALL, OURS, PUBLISHED, SCRATCH, Job, Members, Network
from benchmarks.search.front_worth.training import Key, Trained
from hytnas_jax.plots import label_plainly
from proxies.complexity import complexity

RESAMPLES = 2000
COSTS = {"latency_ms": "latency [ms]", "parameters": "parameters", "int8_bytes": "int8 file [bytes]"}
COLORS = ("#d62728", "#ff9896", "#2ca02c", "#7f7f7f", "#1f77b4", "#17becf", "#000000", "#9467bd")


@dataclasses.dataclass(frozen=True, eq=False)
class Compared:
    """Sets of trained networks.

    trained: by `Job.key`. seconds: of CPU, of training a network once, by name. before: seconds that a set
    took before its trainings. costs: by name in COSTS, then by network.
    """

    sets: Mapping[str, Members]
    trained: Mapping[Key, Trained]
    seconds: Mapping[str, float]
    before: Mapping[str, float]
    costs: Mapping[str, Mapping[str, float]]

    def points(self, jobs: Sequence[Job], cost: str) -> Points:
        """Of one set's trainings from one seed."""
        trained = [self.trained[job.key] for job in jobs]
        return Points(
            np.array([one.validation_error for one in trained]),
            np.array([one.wrong for one in trained]),
            np.array([self.costs[cost][job.network.name] for job in jobs]),
        )

    def box(self, cost: str) -> Box:
        """Of the fronts of all sets and seeds, but for published networks, which may be anywhere."""
        inside = [members for name, members in self.sets.items() if name != PUBLISHED]
        points = [self.points(jobs, cost) for members in inside for jobs in members]
        fronts = [one.take(one.front) for one in points]
        errors = np.concatenate([one.wrong.mean(axis=1) for one in fronts])
        return Box.of(errors, np.concatenate([one.costs for one in fronts]))

    def hours(self, name: str) -> float:
        """CPU hours of a set: what went before, and its networks trained once; the mean over seeds."""
        trained = [sum(self.seconds[job.network.name] for job in jobs) for jobs in self.sets[name]]
        return (self.before.get(name, 0.0) + float(np.mean(trained))) / 3600


def counted(networks: Mapping[str, Network]) -> dict[str, dict[str, float]]:
    """The costs that are counted and not measured, by name in COSTS, then by network."""
    counts = {name: complexity(network.spec) for name, network in networks.items()}
    return {
        "parameters": {name: float(count.num_parameters) for name, count in counts.items()},
        "int8_bytes": {name: float(count.model_bytes_int8) for name, count in counts.items()},
    }


def result(compared: Compared) -> dict[str, Any]:
    """The content of the JSON file."""
    some = next(iter(compared.trained.values()))
    members = compared.sets[OURS]
    resamples = Resamples.draw(images=len(some.wrong), seeds=len(members), count=RESAMPLES)
    boxes = {cost: compared.box(cost) for cost in COSTS}
    return {
        "test_images": len(some.wrong),
        "boxes": {cost: dataclasses.asdict(box) for cost, box in boxes.items()},
        "volumes": {cost: compare_volumes(compared, cost, box, resamples) for cost, box in boxes.items()},
        "sets": {name: about(compared, name) for name in compared.sets},
        "as_good_as_published": as_good_as_published(compared),
    }


def compare_volumes(compared: Compared, cost: str, box: Box, resamples: Resamples) -> dict[str, Any]:
    """Set -> its hypervolume over one cost, those of its seeds, and what our fronts have more, from the
    supernet's weights and from scratch, with the number of seeds in which they have more."""
    points = {
        name: [compared.points(jobs, cost) for jobs in members] for name, members in compared.sets.items()
    }
    by_seed = {
        name: np.stack([one.volumes(box, resamples.weights) for one in of_seeds])
        for name, of_seeds in points.items()
    }
    means = {name: resamples.mean(volumes) for name, volumes in by_seed.items()}
    if ALL in points:
        count = len(compared.sets[OURS][0])
        name = f"random, {count} drawn"
        means[name] = resamples.of_draws(points[ALL], box, count)
    found: dict[str, Any] = {}
    for name, mean in means.items():
        found[name] = {"volume": interval(mean)}
        if name in by_seed:
            found[name]["of_seeds"] = by_seed[name][:, 0]
        for ours, key in ((OURS, "less_than_supernet"), (SCRATCH, "less_than_scratch")):
            if name in (OURS, ours):
                continue
            less: dict[str, Any] = interval(means[ours] - mean)
            if name in by_seed:
                less["seeds_above"] = int(np.sum(by_seed[ours][:, 0] > by_seed[name][:, 0]))
            found[name][key] = less
    return found


def about(compared: Compared, name: str) -> dict[str, Any]:
    """A set's CPU hours and its trainings, for each seed, with the places of its fronts."""
    return {
        "cpu_hours": compared.hours(name),
        "seeds": [
            {
                "networks": [job.network.name for job in jobs],
                "validation_errors": compared.points(jobs, "parameters").validation_errors,
                "test_errors": compared.points(jobs, "parameters").wrong.mean(axis=1),
                **{cost: [compared.costs[cost][job.network.name] for job in jobs] for cost in COSTS},
                "fronts": {cost: compared.points(jobs, cost).front for cost in COSTS},
            }
            for jobs in compared.sets[name]
        ],
    }


def as_good_as_published(compared: Compared) -> list[dict[str, Any]]:
    """For each published network and cost: our cheapest network, from the supernet's weights, whose mean
    error on the SEARCH split is not above its own, how many times dearer the published one is, and both test
    errors; None where ours are all worse."""
    if PUBLISHED not in compared.sets:
        return []
    ours, others = (mean_errors(compared, name) for name in (OURS, PUBLISHED))
    rows = []
    for place, name in enumerate(others.names):
        row: dict[str, Any] = {
            "network": name,
            "validation_error": others.search[place],
            "test_error": others.test[place],
        }
        for cost in COSTS:
            costs = np.array([compared.costs[cost][ours_name] for ours_name in ours.names])
            found = cheapest_as_good(ours.search, costs, others.search[place])
            row[cost] = compared.costs[cost][name]
            row[f"{cost}_of_ours"] = None
            if found is not None:
                row[f"{cost}_of_ours"] = {
                    "network": ours.names[found],
                    "test_error": ours.test[found],
                    "times_less": row[cost] / costs[found],
                }
        rows.append(row)
    return rows


@dataclasses.dataclass(frozen=True, eq=False)
class MeanErrors:
    """Of N networks that every seed has: mean errors on the validation and the test split, [N]."""

    names: list[str]
    search: np.ndarray
    test: np.ndarray


def mean_errors(compared: Compared, name: str) -> MeanErrors:
    """Over the seeds of a set that has the same networks for all."""
    points = [compared.points(jobs, "parameters") for jobs in compared.sets[name]]
    return MeanErrors(
        [job.network.name for job in compared.sets[name][0]],
        np.mean([one.validation_errors for one in points], axis=0),
        np.mean([one.wrong.mean(axis=1) for one in points], axis=0),
    )


def markdown(data: Mapping[str, Any]) -> str:
    """Hypervolumes of all sets over each cost, and published networks beside ours as good as them."""
    lines = ["| set | CPU h | " + " | ".join(f"{cost} | ours more by" for cost in COSTS) + " |"]
    lines.append("|---" * (2 + 2 * len(COSTS)) + "|")
    for name in data["volumes"]["latency_ms"]:
        hours = f"{data['sets'][name]['cpu_hours']:.2f}" if name in data["sets"] else ""
        cells = [name, hours]
        for cost in COSTS:
            found = data["volumes"][cost][name]
            cells += [in_words(found["volume"]), in_words(found.get("less_than_supernet"))]
        lines.append(f"| {' | '.join(cells)} |")
    if data["as_good_as_published"]:
        lines += [
            "",
            "| published | test error | " + " | ".join(f"times the {c} of ours" for c in COSTS) + " |",
        ]
        lines.append("|---" * (2 + len(COSTS)) + "|")
    for row in data["as_good_as_published"]:
        ours = [row[f"{cost}_of_ours"] for cost in COSTS]
        cells = [
            "none as good" if one is None else f"{one['times_less']:.2g} (test error {one['test_error']:.3f})"
            for one in ours
        ]
        lines.append(f"| {row['network']} | {row['test_error']:.3f} | {' | '.join(cells)} |")
    return "\n".join(lines)


def in_words(found: Mapping[str, float] | None) -> str:
    """An interval, with the number of seeds in which ours are above; "" for None."""
    if found is None:
        return ""
    above = f", seeds above: {found['seeds_above']}" if "seeds_above" in found else ""
    return f"{found['value']:.3f} [{found['low']:.3f}, {found['high']:.3f}]{above}"


def figure(compared: Compared, title: str) -> Figure:
    """A panel for each cost: the trainings of the first seed, and each set's front as validation chose it.

    No mistake at all is drawn as half of one: the axes are logarithmic.
    """
    drawn = Figure(figsize=(1.5 + 4.5 * len(COSTS), 5), layout="constrained")
    panels = drawn.subplots(1, len(COSTS), sharey=True)
    for panel, (cost, label) in zip(panels, COSTS.items(), strict=True):
        for (name, members), color in zip(compared.sets.items(), COLORS, strict=False):
            points = compared.points(members[0], cost)
            front = points.take(points.front)
            order = np.argsort(front.costs)
            errors, all_errors = (
                100 * np.maximum(one.wrong.mean(axis=1), 0.5 / one.wrong.shape[1]) for one in (front, points)
            )
            panel.scatter(points.costs, all_errors, s=12, color=color, alpha=0.35)
            panel.plot(
                front.costs[order],
                errors[order],
                color=color,
                label=name,
                linestyle="none" if name == PUBLISHED else "-",
                drawstyle="steps-post",
                linewidth=1,
                marker="o",
                markersize=4,
            )
        panel.set(xlabel=label, xscale="log", yscale="log")
        panel.grid(alpha=0.3)
        label_plainly(panel)
        if cost != "latency_ms":  # numbers of many digits
            panel.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
    panels[0].set_ylabel("error on the test split, %")
    panels[0].legend(fontsize=8, framealpha=0.8)
    drawn.suptitle(title, fontsize=10)
    return drawn
