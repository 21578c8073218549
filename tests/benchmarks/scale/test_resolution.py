"""Training a few steps of made-up images at a resolution."""

from pathlib import Path

from small_space import SMALL_SPACE

from benchmarks.scale.resolution import Config, figure_of, trained


def test_a_row_says_what_was_timed(tmp_path: Path) -> None:
    (tmp_path / "space.yaml").write_text(SMALL_SPACE)
    row = trained(Config(space=str(tmp_path / "space.yaml"), batch_size=4, steps=1), 8)
    assert row["resolution"] == 8
    assert 0 < row["seconds a step"] < row["first step s"]
    assert row["peak MiB"] > 100
    axes = figure_of([row, {**row, "resolution": 16}]).axes
    assert [a.get_ylabel() for a in axes] == ["seconds a step", "peak MiB"]
    assert list(axes[0].lines[0].get_xdata()) == [0.064, 0.256]  # type: ignore[arg-type]
