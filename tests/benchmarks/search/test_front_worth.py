"""`benchmarks/search/front_worth`: its numbers by hand, its draws, and trainings as the product's own."""

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest

from benchmarks.search.front_worth import __main__ as front_worth
from benchmarks.search.front_worth import report as front_worth_report
from benchmarks.search.front_worth import sets as sets
from benchmarks.search.front_worth.config import Config, check
from benchmarks.search.front_worth.measures import Box, Points, Resamples, bought, cheapest_as_good, interval
from benchmarks.search.front_worth.report import COSTS, Compared, counted, figure, markdown, result
from benchmarks.search.front_worth.sets import ALL, OURS, PUBLISHED, SCRATCH, Job, Network
from benchmarks.search.front_worth.training import Trained, Trainings, to_bools, to_hex
from hytnas_jax.shared_flags.data import DataConfig
from hytnas_jax.training.stand_alone import Schedule, train_and_evaluate
from hytnas_jax.training.step import compiled_step
from hytnas_jax.workspace.project import Project, create_project
from hytnas_jax.workspace.workdir import Workdir
from proxies.complexity import num_macs, num_parameters
from supernet.errors import UserError
from supernet.named import named_network

SPACE = """
name: one stage
stages:
  - {stride: 2, depth: [1, 2], expansion: [1, 2], width: [4, 8, 12]}
resolution: [8]
stem_width: 4
stem_stride: 1
head_min: 4
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Digits in a space of twelve networks."""
    folder = tmp_path_factory.mktemp("front_worth")
    (folder / "space.yaml").write_text(SPACE)
    flags = DataConfig(folder / "work", space=str(folder / "space.yaml"), max_images=60)
    return create_project(Workdir(folder / "work"), flags, seed=0)[0]


def wrong(*counts: int, images: int = 10) -> np.ndarray:
    """bool [N, T]: of each network so many of the first images."""
    return np.arange(images) < np.array(counts)[:, None]


def test_the_front_is_chosen_by_validation_alone() -> None:
    """The second has no test error and is not chosen: validation finds it worse than the first and dearer."""
    points = Points(np.array([0.2, 0.3, 0.1]), wrong(5, 0, 3), np.array([1.0, 2.0, 4.0]))
    assert points.front.tolist() == [0, 2]
    assert points.take(points.front).wrong.mean(axis=1).tolist() == [0.5, 0.3]


def test_a_hypervolume_by_hand() -> None:
    """Half and a quarter of the worst error, at a third and two thirds of the logarithm of the cost."""
    box = Box(low=1.0, high=8.0, worst=0.4)
    errors, costs = np.array([0.2, 0.1]), np.array([2.0, 4.0])
    by_hand = (2 / 3) * (1 / 2) + (1 / 3) * (1 / 4)
    assert box.volume(errors, costs) == pytest.approx(by_hand)
    beyond = np.append(errors, [0.0, 0.5]), np.append(costs, [9.0, 1.0])
    assert box.volume(*beyond) == pytest.approx(by_hand)
    assert box.volume(np.array([0.2]), np.array([0.5])) == pytest.approx(
        1 / 2
    )  # cheaper is no better than low


def test_the_box_is_a_tenth_larger_than_what_is_in_it() -> None:
    box = Box.of(np.array([0.0, 0.2, 0.1]), np.array([16.0, 1.0, 2.0]))
    assert (box.low, box.high, box.worst) == pytest.approx((1.0, 16.0**1.1, 0.22))
    assert box.volume(np.array([0.2]), np.array([1.0])) == pytest.approx(1 - 1 / 1.1)
    assert box.volume(np.array([0.0]), np.array([16.0])) == pytest.approx(1 - 1 / 1.1)
    assert Box.of(np.zeros(2), np.full(2, 5.0)).volume(np.zeros(1), np.full(1, 5.0)) == 1.0


def test_volumes_of_resampled_images() -> None:
    """An image that counts twice makes its error twice as large; one that is not drawn makes none."""
    points = Points(np.array([0.1]), wrong(1, images=4), np.array([1.0]))
    weights = np.array([[1, 1, 1, 1], [2, 1, 1, 0], [0, 2, 1, 1]], np.float32)
    found = points.volumes(Box(low=1.0, high=2.0, worst=1.0), weights)
    assert found == pytest.approx([0.75, 0.5, 1.0])


def test_resamples_begin_with_what_there_is() -> None:
    resamples = Resamples.draw(images=5, seeds=3, count=50)
    assert resamples.weights[0].tolist() == [1] * 5
    assert (resamples.weights.sum(axis=1) == 5).all()
    assert resamples.seeds[0].tolist() == [0, 1, 2]
    assert np.unique(resamples.seeds[1:]).tolist() == [0, 1, 2]
    volumes = np.tile(np.array([[1.0], [2.0], [6.0]]), 51)
    means = resamples.mean(volumes)
    assert means[0] == 3.0
    assert means == pytest.approx(volumes[:, 0][resamples.seeds].mean(axis=1))
    found = interval(np.array([5.0, *range(101)]))
    assert found == {"value": 5.0, "low": 2.5, "high": 97.5}


def test_random_draws_of_as_many() -> None:
    """One of two networks, of which one is worth all and one nothing: half of the draws have either."""
    points = Points(np.array([0.1, 0.1]), wrong(0, 10), np.array([1.0, 1.0]))
    resamples = Resamples.draw(images=10, seeds=1, count=200)
    found = resamples.of_draws([points], Box(1.0, 2.0, 1.0), 1)
    assert len(found) == 201
    assert set(found[1:]) == {0.0, 1.0}
    assert 70 < found[1:].sum() < 130
    both = resamples.of_draws([points], Box(1.0, 2.0, 1.0), 2)
    assert both.tolist() == [1.0] * 201


def test_the_cheapest_that_is_as_good() -> None:
    errors, costs = np.array([0.1, 0.2, 0.3]), np.array([9.0, 4.0, 1.0])
    assert cheapest_as_good(errors, costs, 0.25) == 1
    assert cheapest_as_good(errors, costs, 0.2) == 1
    assert cheapest_as_good(errors, costs, 0.05) is None


def test_what_a_budget_buys() -> None:
    """The training that the budget ends in is finished."""
    assert bought([2.0, 3.0, 4.0], 4.0) == 2
    assert bought([2.0, 3.0, 4.0], 5.0) == 2
    assert bought([2.0, 3.0], 5.1) is None
    assert bought([], 1.0) is None


def test_evenly_takes_each_once() -> None:
    assert sets.evenly(np.array([10.0, 0.0, 5.1, 4.9, 0.1]), 3) == [1, 2, 0]
    assert sets.evenly(np.array([0.0, 0.0, 1.0]), 3) == [0, 1, 2]
    assert sets.evenly(np.array([2.0, 1.0]), 5) == [1, 0]


def test_bits_there_and_back() -> None:
    bits = np.random.default_rng(0).random(21) < 0.5
    assert to_bools(to_hex(bits), 21).tolist() == bits.tolist()
    with pytest.raises(UserError, match="24 test images"):
        to_bools(to_hex(bits), 30)


def test_random_search_begins_with_the_random_networks(project: Project) -> None:
    """All twelve of the space in the end, none twice, and every seed has an order of its own."""
    first = sets.random_networks(project, 6, draw=3)
    order = list(sets.in_random_order(project, 6, draw=3))
    assert set(order[:6]) == set(first)
    assert order[:6] != first
    assert len(order) == len(set(order)) <= 12
    assert order != list(sets.in_random_order(project, 6, draw=4))


def test_most_of_a_count_at_each_latency(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a space that can be listed: MACs, the more the better, against parameters as the latency."""
    monkeypatch.setattr(sets, "predicted_latency", lambda project: num_parameters(project.to_spec))
    space, macs, latency = project.space, num_macs(project.to_spec), num_parameters(project.to_spec)
    codes = np.array(list(itertools.product(*map(range, space.cardinalities))))
    everything = space.decode_all(np.unique(space.canonical(codes), axis=0))
    values = list(zip(macs(everything), latency(everything), strict=True))
    front = {
        network
        for network, (most, least) in zip(everything, values, strict=True)
        if not any((m >= most and n <= least and (m, n) != (most, least)) for m, n in values)
    }
    found = sets.most_of(project, macs, len(everything))
    assert set(found) == front
    assert latency(found).tolist() == sorted(latency(found))
    ends = sets.most_of(project, macs, 2)
    assert ends == [found[0], found[-1]]


@pytest.mark.parametrize("fresh", [True, False])
def test_the_sets_of_every_seed(project: Project, monkeypatch: pytest.MonkeyPatch, fresh: bool) -> None:
    """Random networks are drawn anew for each seed, or not; random search begins with those of its seed."""
    front = project.space.decode_all(np.array([[0, 0, 0], [1, 1, 2]]))
    monkeypatch.setattr(sets, "our_front", lambda project, count: front[:count])
    monkeypatch.setattr(sets, "most_of", lambda project, count, number: front[:number])
    config = Config(Path("work"), seeds=2, count=2, networks=4, fresh_draws=fresh, published=("vit-tiny",))
    planned, left_out = sets.planned(project, config)
    assert list(left_out) == ["vit-tiny"]
    assert PUBLISHED not in planned
    names = {
        name: [[job.network.name for job in jobs] for jobs in members] for name, members in planned.items()
    }
    assert names[OURS] == names[SCRATCH] == names["most MACs"] == [[a.name for a in front]] * 2
    assert [jobs[0].start for jobs in planned[OURS]] == ["supernet"] * 2
    assert [[job.seed for job in jobs] for jobs in planned[SCRATCH]] == [[0, 0], [1, 1]]
    assert (names[ALL][0] != names[ALL][1]) == fresh
    for seed, drawn in enumerate(names[ALL]):
        assert names["random, 2 evenly over cost"][seed] == [drawn[0], drawn[-1]]
        first = itertools.islice(sets.random_jobs(project, config, seed), 4)
        assert {job.key for job in first} == {job.key for job in planned[ALL][seed]}


class Priced:
    """Trainings that are done at once and cost 3 seconds each."""

    def __init__(self) -> None:
        self.trained: list[Job] = []

    def train(self, job: Job) -> None:
        self.trained.append(job)

    def costs(self) -> dict[str, float]:
        return {job.network.name: 3.0 for job in self.trained}


def test_random_search_ends_with_its_budget(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    config, priced = Config(Path("work"), networks=4), Priced()
    jobs = front_worth.search_at_random(project, config, priced, 1, 7.0)  # type: ignore[arg-type]
    assert len(jobs) == 3
    assert jobs == priced.trained
    assert "all that were drawn" not in capsys.readouterr().out
    jobs = front_worth.search_at_random(project, config, Priced(), 1, 1e6)  # type: ignore[arg-type]
    assert 4 <= len(jobs) <= 12
    assert f"{len(jobs)} networks are all that were drawn" in capsys.readouterr().out


def test_a_dry_run_says_how_much_and_fixes_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in front_worth.STEPS:
        project.workdir.step(name).begin({})
        project.workdir.step(name).finish({})
    networks = [Network(made_up(name)) for name in "ab"]
    members = [[Job(network, "scratch", 0) for network in networks]]
    monkeypatch.setattr(front_worth, "planned", lambda project, config: ({OURS: members, ALL: members}, {}))
    config = Config(project.workdir.path, sets=("a",), seeds=1, dry_run=True)
    assert front_worth.benchmark(config) is None
    said = capsys.readouterr().out
    assert "2 trainings of sets a to d, 2 of them missing" in said
    assert "known after the first" in said
    assert not (project.workdir.path / "front_worth" / "settings.json").exists()


def test_published_networks_that_cannot_have_the_images(project: Project) -> None:
    networks, left_out = sets.published(project, ("hyt-nas-bl", "vit-tiny"))
    assert [network.name for network in networks] == ["hyt-nas-bl"]
    assert "16" in left_out["vit-tiny"]
    with pytest.raises(UserError, match="--published resnet"):
        sets.published(project, ("resnet",))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sets": ("b", "c")}, "--sets"),
        ({"seeds": 0}, "--seeds 0"),
        ({"learning_rate": -1.0}, "--learning-rate -1"),
        ({"steps_cpu_seconds": -1.0}, "--steps-cpu-seconds -1"),
    ],
)
def test_what_cannot_be_asked(change: dict[str, object], message: str) -> None:
    config = Config(Path("work"))
    check(config)
    with pytest.raises(UserError, match=message):
        check(dataclasses.replace(config, **change))


def test_a_training_is_the_products_and_compiled_once(project: Project, tmp_path: Path) -> None:
    """Its error is that of `train_and_evaluate`; the table has it, and a second start trains nothing
    again."""
    schedule = Schedule(epochs=2, batch_size=16, learning_rate=1e-2, seed=0)
    network = Network(project.to_spec(project.space.decode(np.zeros(3, int))))
    jobs = [Job(network, "scratch", seed) for seed in (0, 1)]
    trainings = Trainings(project, tmp_path, schedule)
    compiled_step.cache_clear()
    trainings.train_all(jobs)
    assert compiled_step.cache_info()[:2] == (1, 1)  # hits, misses
    dataset = project.dataset()
    own = dataclasses.replace(schedule, seed=1)
    error, _ = train_and_evaluate(
        project, dataset, network.spec, own, start=None, folder=tmp_path / "x", label="x"
    )
    assert trainings.done[jobs[1].key].validation_error == pytest.approx(error)
    again = Trainings(project, tmp_path, schedule)
    assert again.missing(jobs) == []
    for job in jobs:
        before, after = trainings.done[job.key], again.done[job.key]
        assert before.wrong.tolist() == after.wrong.tolist()
        assert len(after.wrong) == len(dataset.test)
    seconds = [one.cpu_seconds for one in again.done.values()]
    assert again.costs() == {network.name: max(seconds)}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["trainings.csv"]


def test_missing_trainings_come_network_by_network(project: Project, tmp_path: Path) -> None:
    schedule = Schedule(epochs=1, batch_size=16, learning_rate=1e-2, seed=0)
    first, second = (Network(made_up(name)) for name in "ab")
    jobs = [Job(network, "scratch", seed) for seed in (0, 1, 0) for network in (first, second)]
    missing = Trainings(project, tmp_path, schedule).missing(jobs)
    assert [(job.network.name, job.seed) for job in missing] == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]


def made_up(name: str) -> sets.NetworkSpec:
    spec = named_network("hyt-nas-bl", num_classes=10, resolution=16, channels=1)
    return dataclasses.replace(spec, name=name)


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> Compared:
    """Two seeds of two networks a set: ours are half as dear as the others and have half of their errors."""
    monkeypatch.setattr(front_worth_report, "RESAMPLES", 200)
    wrong_images = {"ours": (20, 10), "random": (40, 20), "published": (20, 60)}
    networks = {f"{kind}{n}": Network(made_up(f"{kind}{n}")) for kind in wrong_images for n in (0, 1)}
    ms = {"ours0": 1.0, "ours1": 2.0, "random0": 2.0, "random1": 4.0, "published0": 3.0, "published1": 3.0}

    def members(kind: str, start: str) -> sets.Members:
        return [[Job(networks[f"{kind}{n}"], start, seed) for n in (0, 1)] for seed in (0, 1)]

    chosen = {
        OURS: members("ours", "supernet"),
        SCRATCH: members("ours", "scratch"),
        ALL: members("random", "scratch"),
        PUBLISHED: members("published", "scratch"),
    }
    trained = {}
    for job in (job for of_set in chosen.values() for of_seed in of_set for job in of_seed):
        kind, n = job.network.name[:-1], int(job.network.name[-1])
        mistakes = wrong(wrong_images[kind][n], images=200)[0]
        trained[job.key] = Trained(float(mistakes.mean()), mistakes, 3600.0, 0.0)
    costs = {"latency_ms": ms, **counted(networks)}
    return Compared(chosen, trained, dict.fromkeys(networks, 3600.0), {OURS: 7200.0}, costs)


def test_the_result_of_made_up_trainings(compared: Compared) -> None:
    data = result(compared)
    box = data["boxes"]["latency_ms"]
    assert (box["low"], box["high"], box["worst"]) == pytest.approx((1.0, 4.0**1.1, 0.22))
    volumes = data["volumes"]["latency_ms"]
    # From 1 ms to 2 ms, half of the way to 4, ours has an error of 0.1, and then one of 0.05.
    by_hand = 0.5 * (1 - 0.1 / 0.22) + 0.6 * (1 - 0.05 / 0.22)
    assert volumes[OURS]["volume"]["value"] == pytest.approx(by_hand / 1.1)
    less = volumes[ALL]["less_than_supernet"]
    assert less["seeds_above"] == 2
    assert 0 < less["low"] <= less["value"] <= less["high"]
    assert volumes[SCRATCH]["less_than_supernet"] == {"value": 0, "low": 0, "high": 0, "seeds_above": 0}
    assert "less_than_scratch" not in volumes[SCRATCH]
    assert "random, 2 drawn" in volumes
    assert data["sets"][OURS]["cpu_hours"] == 4.0
    assert data["sets"][ALL]["cpu_hours"] == 2.0


def test_published_networks_beside_ours_as_good(compared: Compared) -> None:
    first, second = result(compared)["as_good_as_published"]
    assert (first["network"], first["test_error"]) == ("published0", 0.1)
    assert first["latency_ms_of_ours"] == {"network": "ours0", "test_error": 0.1, "times_less": 3.0}
    assert second["latency_ms_of_ours"]["times_less"] == 3.0
    better = dict(compared.trained)
    for key in better:
        if key[0] == "published0":
            better[key] = dataclasses.replace(better[key], validation_error=0.01)
    first, _ = result(dataclasses.replace(compared, trained=better))["as_good_as_published"]
    assert first["latency_ms_of_ours"] is None


def test_the_table_and_the_figure(compared: Compared) -> None:
    lines = markdown(result(compared)).splitlines()
    cells = [line.count("|") for line in lines if line]
    assert set(cells[: 2 + 5]) == {3 + 2 * len(COSTS)}
    assert lines[4].startswith(f"| {ALL} | 2.00 |")
    assert "seeds above: 2 |" in lines[4]
    assert any(line.startswith("| published0 | 0.100 | 3 (test error 0.100)") for line in lines)
    panels = figure(compared, "made up").axes
    assert [panel.get_xlabel() for panel in panels] == list(COSTS.values())
    assert [text.get_text() for text in panels[0].get_legend().get_texts()] == list(compared.sets)
