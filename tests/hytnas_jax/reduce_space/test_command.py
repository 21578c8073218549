"""The command as a user runs it: the file, what is said of it, and what it refuses."""

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from made_up_folder import SPACE, fitted, make_study, to_spec, true_ms

from hytnas_jax.reduce_space import main
from hytnas_jax.reduce_space.config import Config
from hytnas_jax.workspace.space_file import load_space
from hytnas_jax.workspace.workdir import Workdir
from proxies.complexity import num_parameters
from proxies.latency.features import architecture_features
from proxies.latency.predictor import LatencyEstimator, LatencyPredictor
from supernet.errors import UserError

CODES = SPACE.sample(np.random.default_rng(5), 4000)
LATENCY_MS = true_ms(architecture_features(SPACE.decode_all(CODES), to_spec()))
LIMIT_MS = round(float(np.quantile(LATENCY_MS, 0.1)), 3)


@pytest.fixture(scope="module")
def predictor() -> LatencyPredictor:
    return fitted()


@pytest.fixture
def work(tmp_path: Path, predictor: LatencyPredictor) -> Path:
    return make_study(tmp_path / "work", {"pi": predictor})


def config_of(work: Path, **changes) -> Config:
    return Config(work, **{"max_latency_ms": LIMIT_MS, **changes})


def test_a_space_from_the_command_line(work: Path, predictor: LatencyPredictor, tmp_path: Path) -> None:
    # This process holds the lock of the folder that it has made.
    work = shutil.copytree(work, tmp_path / "copy", ignore=shutil.ignore_patterns(".lock"))
    command = [sys.executable, "-m", "hytnas_jax.reduce_space", "--workdir", str(work)]
    command += ["--max-latency-ms", str(LIMIT_MS)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert (result.returncode, result.stderr) == (0, ""), result.stdout + result.stderr
    path = work / "small-reduced.yaml"
    assert path.read_text().startswith(
        f"# python -m hytnas_jax.reduce_space --workdir {work} --max-latency-ms {LIMIT_MS}\n"
        f"# From the space small, for networks within --max-latency-ms {LIMIT_MS} on the device pi.\n"
    )
    space = load_space(str(path))
    assert (space.name, space.constraints) == ("small-reduced", SPACE.constraints)
    facts = json.loads(path.with_suffix(".json").read_text())
    assert np.isclose(facts["before"]["share_within"], 0.1, atol=0.02)
    _assert_true(facts, space, predictor)
    for removal in facts["removals"]:
        assert removal["gene"] in result.stdout
    lines = result.stdout.splitlines()
    assert any(line.startswith("genes left whole: ") for line in lines)
    expected = f"next: python -m hytnas_jax.train_supernet --workdir {work} --data DIR --space {path}"
    assert lines[-1].startswith(expected)
    assert lines[-3:-1] == [f"wrote {path}", f"wrote {path.with_suffix('.json')}"]


def _assert_true(facts: dict, space, predictor: LatencyPredictor) -> None:
    """Shares and recall, from other networks than those that decided."""
    codes = space.sample(np.random.default_rng(6), 4000)
    within = LatencyEstimator(predictor, to_spec(space))(space.decode_all(codes)) <= LIMIT_MS
    assert facts["after"]["share_within"] >= 0.5
    assert np.isclose(within.mean(), facts["after"]["share_within"], atol=0.04)
    drawn = np.random.default_rng(7).integers(0, SPACE.cardinalities, (20_000, len(SPACE.genes)))
    drawn = drawn[SPACE.satisfied(drawn)]
    kept = np.ones(len(drawn), bool)
    names = [gene.name for gene in SPACE.genes]
    for removal in facts["removals"]:
        index = names.index(removal["gene"])
        kept &= drawn[:, index] != SPACE.genes[index].choices.index(removal["choice"])
    within = LatencyEstimator(predictor, to_spec())(SPACE.decode_all(drawn)) <= LIMIT_MS
    assert np.isclose(kept[within].mean(), facts["recall"], atol=0.07)
    assert facts["removals"][-1]["recall"] == facts["recall"]


def test_counted_limits_need_no_predictor(tmp_path: Path) -> None:
    work = make_study(tmp_path / "work", {})
    counts = num_parameters(to_spec())(SPACE.decode_all(CODES))
    config = config_of(work, max_latency_ms=None, max_params=int(np.quantile(counts, 0.2)), share=0.8)
    main(dataclasses.replace(config, output=tmp_path / "fewer.yaml"))
    space = load_space(str(tmp_path / "fewer.yaml"))
    drawn = num_parameters(to_spec(space))(space.decode_all(space.sample(np.random.default_rng(0), 2000)))
    assert np.mean(drawn <= np.quantile(counts, 0.2)) > 0.76
    facts = json.loads((tmp_path / "fewer.json").read_text())
    assert (facts["device"], facts["extrapolated"]) == (None, 0)
    assert "resolution" in facts["left_whole"]  # which no parameter depends on


def test_what_is_kept_and_a_second_time(work: Path) -> None:
    config = config_of(work, keep=("block", "stage1.width"), output=work / "kept.yaml")
    main(config)
    text = (work / "kept.yaml").read_text()
    space = load_space(str(work / "kept.yaml"))
    assert space.stages[1].block == ("conv", "attention")
    assert space.stages[0].width == (4, 8, 12)
    main(config)
    assert (work / "kept.yaml").read_text() == text


def test_a_limit_that_most_keep_takes_nothing_away(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(config_of(work, max_latency_ms=float(LATENCY_MS.max())))
    assert "nothing has to be taken away" in capsys.readouterr().out
    space = load_space(str(work / "small-reduced.yaml"))
    assert space == dataclasses.replace(SPACE, name="small-reduced")


def test_the_next_command_fits(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Many resolutions are asked for, and a folder whose data and space are fixed is not offered."""
    Workdir(work).step("data").begin({"space": "another"})
    main(config_of(work, max_latency_ms=float(LATENCY_MS.max())))
    last = capsys.readouterr().out.splitlines()[-1]
    assert f"--workdir {work}-reduced --data DIR --space {work / 'small-reduced.yaml'}" in last
    assert last.endswith("--resolutions 8 12 16 24 32")


def test_an_extrapolation_is_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    large = SPACE.with_resolutions((32,))
    architectures = large.decode_all(large.sample(np.random.default_rng(0), 40))
    features = architecture_features(architectures, to_spec(large))
    predictor = LatencyPredictor.fit(features, true_ms(features))
    work = make_study(tmp_path / "work", {"pi": predictor})
    main(config_of(work))
    assert (
        "latency predictor of pi was fitted on: their predicted latency is an ex" in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_latency_ms": None}, "no limit is given; give --max-latency-ms"),
        ({"max_latency_ms": 0.0}, "--max-latency-ms 0.0: must be over 0"),
        ({"max_params": -1}, "--max-params -1: must be at least 1"),
        ({"share": 0.0}, "--share 0.0: must be over 0; give"),
        ({"share": 50.0}, "--share 50.0: must be at most 1"),
        ({"seed": -1}, "--seed -1: must be at least 0"),
        ({"output": Path("a.json")}, "--output a.json: must end in .yaml"),
        (
            {"max_latency_ms": None, "max_macs": 9, "device": "pi"},
            "--device pi: nothing asks for its latency",
        ),
        ({"device": "phone"}, "--device phone: is none of those measured; give one of pi"),
        (
            {"keep": ("blocks",)},
            "--keep blocks: space 'small' has no such genes; give families of them (reso",
        ),
    ],
)
def test_wrong_flags_are_named_and_nothing_is_written(changes: dict, message: str, work: Path) -> None:
    with pytest.raises(UserError) as error:
        main(config_of(work, **changes))
    assert message in str(error.value)
    assert not list(work.glob("*.yaml"))


def test_the_least_values_are_named_where_none_is_within(work: Path, predictor: LatencyPredictor) -> None:
    least = LatencyEstimator(predictor, to_spec())(SPACE.decode_all(CODES)).min()
    with pytest.raises(UserError, match=r"--max-latency-ms 0\.05: none of 20\d+ networks") as error:
        main(config_of(work, max_latency_ms=0.05))
    assert f"the least found is {least:.4g} (--max-latency-ms); loosen" in str(error.value)
    assert not list(work.glob("*.yaml"))


def test_a_file_of_the_users_is_not_written_over(work: Path) -> None:
    mine = work / "mine.yaml"
    mine.write_text("name: mine\n")
    with pytest.raises(UserError, match=r"the file .*mine\.yaml is in the way, which this command has not"):
        main(config_of(work, output=mine))
    assert mine.read_text() == "name: mine\n"
    before = (work / "workdir.json").read_bytes()
    with pytest.raises(UserError, match=r"the file .*workdir\.json is in the way"):
        main(config_of(work, output=work / "workdir.yaml"))
    assert (work / "workdir.json").read_bytes() == before
    (work / "folder.yaml").mkdir()
    with pytest.raises(UserError, match=r"the folder .*folder\.yaml is in the way"):
        main(config_of(work, output=work / "folder.yaml"))


def test_the_study_comes_first(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"run: python -m hytnas_jax\.study_efficiency --workdir"):
        main(config_of(tmp_path / "empty"))
