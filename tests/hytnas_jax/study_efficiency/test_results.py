"""What a study says of times that are made up: known shares, known rates."""

import pytest
from made_up_times import PLAN, write_table

from hytnas_jax.study_efficiency.device_table import DeviceTable, read_device
from hytnas_jax.study_efficiency.figures import attention_figure
from hytnas_jax.study_efficiency.hyperparameters import space_shares
from hytnas_jax.study_efficiency.report import finding, network_rows, operation_rows, remarks
from hytnas_jax.study_efficiency.results import NAMINGS, EfficiencyStudy
from hytnas_jax.study_efficiency.subjects import BATCH, EMBEDS
from supernet.single_operations import SINGLE_OPERATIONS


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> EfficiencyStudy:
    path = tmp_path_factory.mktemp("study") / "toaster.csv"
    subjects = PLAN.subjects()
    write_table(path, subjects)
    names = [subject.name for subject in subjects]
    return EfficiencyStudy.of(PLAN, [read_device(path, identity=PLAN.identity, names=names)])


def test_shares_of_an_attention_block(study: EfficiencyStudy) -> None:
    """The logarithm is log(embed) + log(depth) / 2, and each takes three values a factor of two apart."""
    shares = study.attention_shares("embed")["latency@toaster"]
    expected = {"embed": 0.8, "heads": 0.0, "ffn_ratio": 0.0, "patch": 0.0, "depth": 0.2}
    assert shares == pytest.approx(expected, abs=1e-9)
    by_head = study.attention_shares("head_size")["latency@toaster"]
    assert by_head == pytest.approx(
        {"head_size": 4 / 9, "heads": 4 / 9, "ffn_ratio": 0.0, "patch": 0.0, "depth": 1 / 9}, abs=1e-9
    )
    assert study.attention_shares("embed")["parameters"]["heads"] == pytest.approx(0, abs=1e-9)


def test_the_finding_is_told_by_quantity(study: EfficiencyStudy) -> None:
    by_embed, by_head = finding(study)
    assert "where heads and embed are chosen" in by_embed
    assert "latency@toaster" not in by_embed
    assert "where heads and head_size are chosen" in by_head
    assert "true of latency@toaster, " in by_head


def test_rates(study: EfficiencyStudy) -> None:
    """A millisecond for a million MACs: a thousand million a second, whatever the operation."""
    for name, rate in operation_rows(study):
        assert name in SINGLE_OPERATIONS
        assert rate == "1 (1 to 1)"
    row = next(row for row in study.rows("networks") if row["name"] == "hyt-nas-bl")
    each = 1e9 / row["num_macs"]
    assert row["images_per_second@toaster"] == pytest.approx(each)
    assert row[f"images_per_second_batch{BATCH}@toaster"] == pytest.approx(each)
    quickest = min(study.rows("networks"), key=lambda row: row["num_macs"])
    assert network_rows(study)[0][0] == quickest["network"]


def test_a_predictor_is_fitted_where_enough_was_measured(study: EfficiencyStudy) -> None:
    assert list(study.predictors()) == ["toaster"]
    few = {name: timing for name, timing in study.devices[0].timings.items() if "drawn" not in name}
    device = type(study.devices[0])("other", study.devices[0].about, few)
    other = EfficiencyStudy(study.plan, study.subjects, study.counts, [device])
    assert other.predictors() == {}
    assert other.drawn_on(device) == other.devices_with("space") == []
    said = remarks(other, space_shares(PLAN, {}), {})
    assert (
        "latency on other is not predicted: 0 networks of one were measured, and a predictor needs 10" in said
    )
    assert other.devices_with("networks") == [device]


def test_a_device_that_lacks_attention_blocks_is_left_out_by_either_name(study: EfficiencyStudy) -> None:
    """A kit that was cut: all blocks by the embedding are there, and by the size of a head not all."""
    blocks = [subject for subject in study.part("attention") if subject.labels["embed"] in EMBEDS]
    assert len(blocks) < len(study.part("attention"))
    timings = {s.name: study.devices[0].timings[s.name] for s in (*study.part("networks"), *blocks)}
    device = DeviceTable("cut", study.devices[0].about, timings)
    cut = EfficiencyStudy(study.plan, study.subjects, study.counts, [device])
    for naming in NAMINGS:
        assert "latency@cut" not in cut.attention_tables(naming)
    assert len(attention_figure(cut).axes) == len(NAMINGS)  # bars, and no lines of a device
