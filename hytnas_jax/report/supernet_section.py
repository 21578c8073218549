"""The report's section about the supernet: how its training went."""

from collections.abc import Sequence

import numpy as np

from hytnas_jax.data.readers.source import Task
from hytnas_jax.numbers import fraction, percent
from hytnas_jax.report.chart import Axis, Point, Series, chart
from hytnas_jax.report.page import missing, paragraph, section
from hytnas_jax.report.results import Results
from hytnas_jax.training.init_from import read_origins

CURVE_POINTS = 150  # of a training curve; each is the mean of the steps around it
# What a training step counts, shown along a training curve.
COUNTED: dict[Task, str] = {
    "classification": "accuracy on training batches, %",
    "detection": "objects found in training batches, %",
    "segmentation": "pixels right in training batches, %",
}


def supernet_section(results: Results, command: str) -> str:
    """How the supernet's training went."""
    title = "The supernet"
    if results.training is None:
        return section(title, missing("The supernet's training has not ended yet.", command))
    summary = results.steps["supernet"].summary
    task, random = results.project.task, summary["random_accuracies"]
    number = percent if task.measure.is_error else fraction
    largest, smallest = (number(summary[f"{which}_accuracy"]) for which in ("largest", "smallest"))
    median = number(float(np.median(random)))
    text = (
        f"{task.quality[0].upper()}{task.quality[1:]} on the validation split with the supernet's weights: "
        f"largest subnet {largest}, smallest {smallest}, median of {len(random)} random ones {median}."
    )
    origins = read_origins(results.project.workdir.step("supernet"))
    if origins:
        before = "; before that, ".join(origin.in_words() for origin in origins)
        text += f" It began with the weights of another supernet, all but what names the classes: {before}."
    if not results.training:
        return section(title, paragraph(text))
    charts = (
        _curves(
            results.training, {"loss": "largest subnet", "subnet_loss": "other subnets"}, Axis("loss, nats")
        ),
        _curves(
            results.training,
            {"accuracy": "largest subnet", "subnet_accuracy": "other subnets"},
            Axis(COUNTED[task.name], factor=100),
        ),
    )
    return section(title, paragraph(text), f'<div class="pair">{"".join(charts)}</div>')


def _curves(training: Sequence[dict[str, float]], labels: dict[str, str], y: Axis) -> str:
    """Lines of the metrics named by `labels`, each point a mean of neighbouring steps."""
    bins = np.array_split(np.arange(len(training)), min(CURVE_POINTS, len(training)))
    series = []
    for colour, (key, label) in enumerate(labels.items(), start=1):
        if key in training[0]:
            points = [
                Point(
                    float(np.mean([training[i]["step"] for i in rows])),
                    float(np.mean([training[i][key] for i in rows])),
                )
                for rows in bins
            ]
            series.append(Series(label, points, colour, "line"))
    return chart(series, Axis("step"), y)
