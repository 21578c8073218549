"""What the figures show."""

from pathlib import Path

import numpy as np

from hytnas_jax.plots import Axis, front_figure, hypervolume_figure, save_figure, to_png

ERROR, LATENCY = Axis("error"), Axis("latency_ms", "ms")
VALUES = np.array([[0.5, 1.0], [0.2, 40.0], [0.3, 3.0], [0.6, 20.0], [np.nan, 2.0]])
ON_FRONT = np.array([True, True, True, False, False])


def test_axes_say_unit_and_direction_and_are_logarithmic_over_decades() -> None:
    panel = front_figure((ERROR, LATENCY), VALUES, ON_FRONT).axes[0]
    assert panel.get_xlabel() == "latency_ms [ms], less is better"
    assert panel.get_ylabel() == "error, less is better"
    assert (panel.get_xscale(), panel.get_yscale()) == ("log", "linear")
    assert Axis("zen_score", direction="max").label == "zen_score, more is better"
    assert Axis("parameters", "parameters").label == "parameters, less is better"


def test_the_front_is_drawn_in_order() -> None:
    panel = front_figure((ERROR, LATENCY), VALUES, ON_FRONT, VALUES + 1.0).axes[0]
    (line,) = panel.lines
    assert line.get_xdata().tolist() == [1.0, 3.0, 40.0]
    assert line.get_ydata().tolist() == [0.5, 0.3, 0.2]
    assert line.get_drawstyle() == "steps-post"
    labels = [text.get_text() for text in panel.get_legend().get_texts()]
    assert "random search" in labels


def test_zero_and_nan_keep_an_axis_linear() -> None:
    values = np.array([[0.0, np.nan], [9.0, np.nan]])
    panel = front_figure((ERROR, LATENCY), values, np.array([False, False])).axes[0]
    assert (panel.get_xscale(), panel.get_yscale()) == ("linear", "linear")


def test_three_objectives_are_two_panels_without_a_line() -> None:
    values = np.concatenate([VALUES, VALUES[:, :1]], axis=1)
    figure = front_figure((ERROR, LATENCY, Axis("macs", "MACs")), values, ON_FRONT)
    assert [len(panel.lines) for panel in figure.axes] == [0, 0]
    assert figure.axes[1].get_xlabel() == "macs [MACs], less is better"


def test_hypervolumes_are_lines_from_the_first_evaluation(tmp_path: Path) -> None:
    figure = hypervolume_figure({"search": np.array([1.0, 2.0, 4.0]), "random": np.ones(2)}, initial=2)
    search, random = figure.axes[0].lines
    assert search.get_xdata().tolist() == [1, 2, 3]
    assert search.get_ydata().tolist() == [1.0, 2.0, 4.0]
    assert random.get_label() == "random"
    save_figure(tmp_path / "figure.png", figure)
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert to_png(figure).startswith(b"\x89PNG")
