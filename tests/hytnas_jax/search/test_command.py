"""The search command over a quick, invented error: resumed, limited, refused; no supernet is trained."""

import json
import shutil

import numpy as np
import pytest

from hytnas_jax.files.atomic import write_json
from hytnas_jax.mobo import pareto_mask
from hytnas_jax.mobo.pareto import pareto_rank
from hytnas_jax.retrain.archive import load_archive
from hytnas_jax.search import command, main, problem
from hytnas_jax.search import results as search_results
from hytnas_jax.search.results import load_pareto
from proxies.complexity import complexity_table
from supernet.errors import UserError

from .quick_search import (
    BATCH,
    SPACE,
    Cut,
    FakeError,
    FakeTrainedError,
    config,
    pareto,
    results,
    rows,
)


def test_a_whole_search(project, use_error, capsys):
    error = use_error(FakeError())
    main(config(project))
    table, randoms = rows(project), rows(project, "random.csv")
    assert [row["phase"] for row in table] == ["initial"] * 6 + ["model"] * 10
    assert [row["phase"] for row in randoms] == ["initial"] * 6 + ["random"] * 10
    assert [row["index"] for row in table] == [str(n) for n in range(16)]
    # the initial ones are shared, nothing is evaluated twice
    assert [row["name"] for row in table[:6]] == [row["name"] for row in randoms[:6]]
    assert len(set(error.calls)) == len(error.calls) <= 16 + 10
    # what was expected stands beside what came out, for the error only, which is modelled
    assert all(row["error_predicted"] == "" for row in table[:6])
    assert all(float(row["error_predicted_std"]) > 0 for row in table[6:])
    assert "latency_ms_predicted" not in table[0]

    result = pareto(project)
    values = np.array([[float(row["error"]), float(row["latency_ms"])] for row in table])
    front = np.flatnonzero(pareto_mask(values)).tolist()
    assert sorted(point["index"] for point in result["architectures"]) == front
    points = load_pareto(project)
    assert [point.values["error"] for point in points] == sorted(values[front, 0])
    for point in points:
        row = table[point.index]
        assert point.architecture.name == row["name"]
        assert point.values == {"error": float(row["error"]), "latency_ms": float(row["latency_ms"])}
        assert row["stage1.width"] == str(point.architecture.stages[0].width)
    assert result["hypervolume"]["search"] > 0
    assert result["evaluations"] == {"search": 16, "random": 16}
    assert result["failed"] == {"search": 0, "random": 0}
    for name in ("front.png", "hypervolume.png"):
        assert (project.workdir.path / "search" / name).read_text() == "1"  # panel
    printed, warned = capsys.readouterr()
    assert "hypervolume" in printed
    assert "\nerror: estimated before anything is trained on its own; for ranking only" in printed
    assert "(marked *)" not in warned  # of no network
    assert f"next: python -m hytnas_jax.retrain --workdir {project.workdir.path}" in printed
    assert points[0].architecture.name in printed


@pytest.mark.parametrize("cut_at", [None, 8])
def test_a_batch_is_one_call_of_the_estimator(project, use_error, monkeypatch, cut_at):
    sizes: list[int] = []

    def counted(self, architectures, inner=FakeError.estimate):
        sizes.append(len(architectures))
        return inner(self, architectures)

    monkeypatch.setattr(FakeError, "estimate", counted)
    use_error(FakeError(cut_at))
    if cut_at is not None:
        with pytest.raises(Cut):
            main(config(project, random_baseline=False))
        assert sizes == [4, 2, 4]
        sizes.clear()
        use_error(FakeError())
    main(config(project, random_baseline=False))
    assert sizes == [4, 2, 4, 4, 2][2 * (cut_at is not None) :]


# in the initial design, between it and a batch, in a batch, between batches, and in the baseline
@pytest.mark.parametrize("cut_at", [0, 3, 6, 8, 10, 15, 16, 20])
def test_a_cut_search_comes_to_the_same_result(project, use_error, cut_at):
    use_error(FakeError())
    main(config(project))
    expected = results(project)
    shutil.rmtree(project.workdir.path / "search")

    first = use_error(FakeError(cut_at))
    with pytest.raises(Cut):
        main(config(project))
    second = use_error(FakeError())
    main(config(project))
    assert results(project) == expected
    # what is evaluated again is of the batch that was cut
    assert len(set(first.calls) & set(second.calls)) < BATCH


def test_cut_while_a_row_or_the_results_are_written(project, use_error, monkeypatch):
    use_error(FakeError())
    main(config(project))
    expected = results(project)
    folder = project.workdir.path / "search"
    shutil.rmtree(folder)

    with monkeypatch.context() as patch:
        patch.setattr(command, "write_results", lambda *arguments: (_ for _ in ()).throw(Cut()))
        with pytest.raises(Cut):
            main(config(project))
    again = use_error(FakeError())
    main(config(project))
    assert again.calls == []
    assert results(project) == expected

    lines = (folder / "evaluations.csv").read_bytes()
    (folder / "evaluations.csv").write_bytes(lines[:-20])
    (folder / "done.json").unlink()
    main(config(project))
    assert len(again.calls) == 1
    assert results(project) == expected


def test_a_finished_search_does_nothing_again(project, use_error, capsys):
    use_error(FakeError())
    main(config(project, random_baseline=False))
    done = project.workdir.step("search").done()
    error = use_error(FakeError())
    main(config(project, random_baseline=False))
    assert error.calls == []
    assert project.workdir.step("search").done() == done
    assert "step 'search' is done: 16 evaluations" in capsys.readouterr().out


def test_more_evaluations_go_on_as_if_asked_for_at_once(project, use_error):
    use_error(FakeError())
    main(config(project, evaluations=19))
    expected = results(project)
    shutil.rmtree(project.workdir.path / "search")
    main(config(project, evaluations=8, random_baseline=False))  # ends within a batch
    before = rows(project)
    main(config(project, evaluations=19, random_baseline=True))
    assert rows(project)[:8] == before
    assert results(project) == expected
    with pytest.raises(UserError, match="evaluations: was 19, now 16"):
        main(config(project))


def test_changed_settings_and_inputs_are_refused(project, use_error):
    use_error(FakeError())
    main(config(project, random_baseline=False))
    with pytest.raises(UserError, match="seed: was 0, now 1"):
        main(config(project, random_baseline=False, seed=1))
    supernet = project.workdir.step("supernet")
    supernet.begin({})
    supernet.finish({})
    with pytest.raises(UserError, match="made from 'supernet', which has changed since"):
        main(config(project, random_baseline=False))


def test_limits_are_kept_by_every_network(project, use_error):
    use_error(FakeError())
    limits = {"parameters": 9_000, "macs": 500_000, "peak_memory": 12_000}
    main(
        config(
            project,
            objectives=("error", "parameters", "macs", "peak_memory"),
            max_params=limits["parameters"],
            max_macs=limits["macs"],
            max_peak_memory=limits["peak_memory"],
        )
    )
    for row in rows(project) + rows(project, "random.csv"):
        assert all(float(row[name]) <= limit for name, limit in limits.items())
    assert pareto(project)["limits"] == limits


def test_limits_of_a_microcontroller(project, use_error, capsys):
    use_error(FakeError())
    counts = complexity_table(SPACE.decode_all(SPACE.corners()), project.to_spec)
    most = {"peak_memory_int8": int(counts[:, 3].mean()), "model_bytes_int8": int(counts[:, 5].mean())}
    main(
        config(
            project,
            objectives=("error", "model_bytes"),
            max_peak_memory_int8=most["peak_memory_int8"],
            max_model_bytes_int8=most["model_bytes_int8"],
            random_baseline=False,
        )
    )
    assert pareto(project)["limits"] == most
    for point in load_pareto(project):
        assert point.network["peak_activation_bytes_int8"] <= most["peak_memory_int8"]
        assert point.network["model_bytes_int8"] <= most["model_bytes_int8"]
        assert point.values["model_bytes"] == point.network["model_bytes"]
    assert "file bytes" in capsys.readouterr().out


def test_a_limit_on_the_error_holds_for_the_front(project, use_error, capsys):
    use_error(FakeError())
    main(config(project, max_error=0.5, random_baseline=False))
    errors = [point.values["error"] for point in load_pareto(project)]
    assert errors
    assert max(errors) <= 0.5 < max(float(row["error"]) for row in rows(project))
    assert pareto(project)["limits"] == {"error": 0.5}


def test_what_is_behind_the_front_is_noted_front_after_front(project, use_error, monkeypatch):
    """Within the limits, and only whole fronts: with room for one, the next front is there whole."""
    use_error(FakeError(fails=lambda call: call == 3))
    main(config(project, max_error=0.5, random_baseline=False))
    archive, result = load_archive(project), pareto(project)
    table = np.array([[float(row[name]) for name in archive.names] for row in rows(project)])
    within = np.flatnonzero(table[:, 0] <= 0.5)  # of what has failed it is not known
    assert sorted(entry["index"] for part in ("architectures", "behind") for entry in result[part]) == (
        within.tolist()
    )
    assert archive.front == len(result["architectures"])
    ranks = pareto_rank(archive.minimised)
    assert (np.diff(ranks) >= 0).all()
    assert (ranks == 0).sum() == archive.front < len(archive)
    np.testing.assert_array_equal(
        archive.values,
        table[[entry["index"] for part in ("architectures", "behind") for entry in result[part]]],
    )
    monkeypatch.setattr(search_results, "BEHIND", 1)
    (project.workdir.path / "search" / "done.json").unlink()
    main(config(project, max_error=0.5, random_baseline=False))
    assert len(load_archive(project)) == (ranks <= 1).sum()


def test_a_limit_on_the_error_that_nothing_keeps_is_said(project, use_error, capsys):
    use_error(FakeError())
    main(config(project, max_error=1e-6, random_baseline=False))
    assert "no network is as good as error 1e-06" in capsys.readouterr().err
    assert load_pareto(project)
    assert pareto(project)["behind"] == []


def test_impossible_limits_say_how_near_it_comes(project, use_error):
    use_error(FakeError())
    with pytest.raises(UserError, match=r"parameters <= 10: the nearest has \d+"):
        main(config(project, max_params=10))


def test_failed_evaluations_are_kept_and_passed_over(project, use_error):
    error = use_error(FakeError(fails=lambda call: call in (2, 9)))
    main(config(project))
    table = rows(project)
    assert [n for n, row in enumerate(table) if row["error"] == "nan"] == [1, 8]
    assert len(set(error.calls)) == len(error.calls)
    assert pareto(project)["failed"]["search"] == 2
    assert not {1, 8} & {point.index for point in load_pareto(project)}


def test_a_broken_supernet_is_said_after_the_initial_design(project, use_error):
    error = use_error(FakeError(fails=lambda call: True))
    with pytest.raises(UserError, match=r"all 6 networks .* no numbers .*train it again"):
        main(config(project))
    assert len(error.calls) == 6


def test_extrapolated_latencies_are_marked(project, use_error, capsys):
    path = project.workdir.path / "latency" / "predictor.json"
    damaged = json.loads(path.read_text())
    damaged["region"]["high"] = damaged["region"]["low"]  # nearly everything lies outside
    write_json(path, damaged)
    use_error(FakeError())
    main(config(project, random_baseline=False, measure_batches=False))
    points = load_pareto(project)
    outside = sum(point.extrapolated for point in points)
    assert outside > 0
    printed = capsys.readouterr()
    assert f"{outside} of {len(points)} networks on the front (marked *)" in printed.err
    marked = next(point for point in points if point.extrapolated)
    assert f"{marked.architecture.name}*" in printed.out


def test_without_error_no_supernet_is_needed(project, use_error):
    error = use_error(FakeError())
    shutil.rmtree(project.workdir.path / "supernet")
    main(config(project, objectives=("latency_ms", "parameters")))
    assert error.calls == []
    assert {point.loss for point in load_pareto(project)} == {None}


def test_missing_steps_say_what_to_run(project, use_error):
    use_error(FakeError())
    shutil.rmtree(project.workdir.path / "latency")
    with pytest.raises(UserError, match=r"hytnas_jax\.measure_latency.*\n.*leave latency_ms out"):
        main(config(project))
    main(config(project, objectives=("error", "macs"), random_baseline=False))
    shutil.rmtree(project.workdir.path / "supernet")
    with pytest.raises(UserError, match=r"hytnas_jax\.train_supernet"):
        main(config(project, objectives=("error", "macs"), random_baseline=False))


def test_an_estimated_error_says_how_unsure_it_is(project, monkeypatch, capsys):
    error = FakeTrainedError()
    monkeypatch.setitem(problem.EVALUATED, "trained_error", lambda project: error)
    flags = {"objectives": ("trained_error", "macs"), "max_error": 0.4, "initial": 8}
    with pytest.raises(UserError, match=r"run: python -m hytnas_jax\.study_ranking"):
        main(config(project, **flags))
    project.workdir.step("references").begin({})
    project.workdir.step("references").finish({})
    main(config(project, **flags))
    table = rows(project)
    assert {a.name for a in error.known} <= {row["name"] for row in table[:8]}
    for row in table:
        assert float(row["trained_error_std"]) == pytest.approx(0.1 * float(row["trained_error"]))
    points = load_pareto(project)
    assert [point.std["trained_error"] for point in points] == pytest.approx(
        [0.1 * point.values["trained_error"] for point in points]
    )
    assert all(point.values["trained_error"] <= 0.4 for point in points)
    archive = load_archive(project)
    np.testing.assert_allclose(archive.std, archive.values * [0.1, 0])
    assert f"{points[0].values['trained_error']:.4f} ± " in capsys.readouterr().out
    first = results(project)
    (project.workdir.path / "search" / "done.json").unlink()
    main(config(project, **flags))  # what was evaluated is read back
    assert results(project) == first


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"objectives": ("error", "speed")},
            "'speed' is none; choose from error, blended_error, trained_error",
        ),
        ({"objectives": ("error",)}, "give two to four different ones"),
        ({"objectives": ("error", "error")}, "give two to four different ones"),
        ({"initial": 1}, "--initial 1: must be at least 2"),
        ({"evaluations": 5}, "--evaluations 5: must be at least 6 .--initial"),
        ({"batch": 0}, "--batch 0: must be at least 1"),
        ({"max_latency_ms": float("nan")}, "--max-latency-ms nan: must be a number"),
        ({"max_params": 0}, "--max-params 0: must be at least 1"),
        ({"max_model_bytes_int8": -1}, "--max-model-bytes-int8 -1: must be at least 1"),
        (
            {"max_error": 0.1, "objectives": ("macs", "parameters")},
            "--max-error: .* add blended_error to --objectives",
        ),
        ({"surrogate": "oracle"}, "surrogate='oracle': choose one of gp, xgboost"),
        ({"features": "all"}, "--features all: choose one of genes"),
    ],
)
def test_wrong_settings_are_refused_and_nothing_is_begun(project, changes, message):
    with pytest.raises(UserError, match=message):
        main(config(project, **changes))
    assert not (project.workdir.path / "search").exists()


def test_a_damaged_row_is_named(project, use_error):
    use_error(FakeError())
    main(config(project, random_baseline=False))
    folder = project.workdir.path / "search"
    lines = (folder / "evaluations.csv").read_text().splitlines()
    lines[3] = lines[3].replace("conv", "convoluted").replace("attention", "attentive")
    (folder / "evaluations.csv").write_text("\n".join(lines) + "\n")
    (folder / "done.json").unlink()
    with pytest.raises(UserError, match=r"evaluations\.csv, line 4: .*delete this line and those after it"):
        main(config(project, random_baseline=False))
