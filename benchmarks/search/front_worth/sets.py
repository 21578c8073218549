"""Which networks `front_worth` compares: our front, random ones, what a count would choose, published ones.

Letters: N networks, G genes.
"""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks.search.front_worth.config import Config
from hytnas_jax.accuracy.sample import draw_over_cost, spread
from hytnas_jax.latency.measurements import load_predictor
from hytnas_jax.mobo import pareto_mask
from hytnas_jax.mobo.nsga2 import nsga2
from hytnas_jax.retrain.retrained import read_retrained
from hytnas_jax.workspace.project import Project
from proxies.base import Estimator
from proxies.complexity import num_macs
from proxies.latency.predictor import LatencyEstimator
from proxies.pointwise_macs import PointwiseMacs
from supernet.architecture import Architecture
from supernet.errors import UserError
from supernet.named import NAMES, named_network
from supernet.network_spec import NetworkSpec

POPULATION, GENERATIONS = 200, 100  # of the search for the most of a count at each latency
OURS, SCRATCH = "our front, supernet's weights", "our front, scratch"
ALL, SEARCHED, PUBLISHED = "random, all", "random search, our CPU time", "published"
NEXT_DRAW = 1_000_000  # added to the seed of a draw for the next one of the same seed


@dataclasses.dataclass(frozen=True)
class Network:
    """Something to train; a published network has no architecture of the space."""

    spec: NetworkSpec
    architecture: Architecture | None = None

    @property
    def name(self) -> str:
        return self.spec.name


@dataclasses.dataclass(frozen=True)
class Job:
    """One training. start: "supernet" or "scratch"."""

    network: Network
    start: str
    seed: int

    @property
    def key(self) -> tuple[str, str, int]:
        """What its row in the table is known by."""
        return self.network.name, self.start, self.seed


Members = list[list[Job]]  # of a set, for each seed


def our_front(project: Project, count: int) -> list[Architecture]:
    """What `retrain` has chosen, in its order, at most `count`. Raises UserError where it has not ended."""
    step = project.workdir.step("retrain")
    names = step.require("retrain")["summary"]["networks"]
    saved = {network.name: network.architecture for network in read_retrained(step)}
    searched = [saved[name] for name in names if "genes" in saved[name]]  # the others are published ones
    return [project.space.from_json(architecture) for architecture in searched[:count]]


def random_networks(project: Project, count: int, *, draw: int) -> list[Architecture]:
    """`count` networks evenly over log MACs, cheapest first, as `study_ranking --seed` draws them."""
    return draw_over_cost(project.space, num_macs(project.to_spec), count=count, seed=draw)


def in_random_order(project: Project, count: int, *, draw: int) -> Iterator[Architecture]:
    """Different networks for a random search: those of `random_networks`, shuffled, then of further draws.

    It ends where a draw has nothing new: the space has been seen.
    """
    seen: set[Architecture] = set()
    for number in itertools.count():
        seed = draw + number * NEXT_DRAW
        drawn = random_networks(project, count, draw=seed)
        new = [drawn[place] for place in np.random.default_rng(seed).permutation(len(drawn))]
        new = [architecture for architecture in new if architecture not in seen]
        if not new:
            return
        seen.update(new)
        yield from new


def counts(project: Project) -> dict[str, Estimator]:
    """The counts that could stand in the error's place, by what their set is called."""
    return {"most MACs": num_macs(project.to_spec), "most 1x1 MACs": PointwiseMacs(project.to_spec)}


def most_of(project: Project, count: Estimator, number: int) -> list[Architecture]:
    """What the search would choose if more of a count were less error: the front of the count, the more the
    better, and of predicted latency; `number` of it, evenly over log latency.

    Both are known without evaluating anything, so that NSGA-II solves this, which the search uses inside.
    """
    space, latency = project.space, predicted_latency(project)

    def evaluate(genes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        architectures = space.decode_all(genes)
        scores = np.column_stack([-count(architectures), latency(architectures)])
        return scores, 1.0 - space.satisfied(genes)[:, None]

    visited = nsga2(
        evaluate,
        space.sample(np.random.default_rng(0), POPULATION),
        cardinalities=space.cardinalities,
        canonical=space.canonical,
        population=POPULATION,
        generations=GENERATIONS,
        seed=0,
    )
    within = visited.take(np.flatnonzero(visited.feasible))
    front = within.take(np.flatnonzero(pareto_mask(within.scores)))
    places = evenly(np.log(front.scores[:, 1]), number)
    return space.decode_all(front.genes[places])


def evenly(values: np.ndarray, count: int) -> list[int]:
    """Places of `count` of values [N], smallest first, each the nearest left to one of as many even steps."""
    chosen: list[int] = []
    for target in np.linspace(values.min(), values.max(), min(count, len(values))):
        distances = np.abs(values - target)
        distances[chosen] = np.inf
        chosen.append(int(np.argmin(distances)))
    return sorted(chosen, key=lambda place: values[place])


def predicted_latency(project: Project) -> LatencyEstimator:
    """By the search's own predictor, fitted to what it measured on the way, where it has one."""
    search = project.workdir.step("search")
    has_own = (search.folder / "predictor.json").exists()
    return LatencyEstimator(
        load_predictor(search if has_own else project.workdir.step("latency")), project.to_spec
    )


def published(project: Project, names: Sequence[str]) -> tuple[list[Network], dict[str, str]]:
    """Published networks for images of the space's largest side, and why others are left out, by name.

    Raises UserError for a name that is not known.
    """
    networks, left_out = [], {}
    for name in dict.fromkeys(names):
        try:
            spec = named_network(
                name,
                num_classes=project.num_classes,
                resolution=max(project.space.resolution),
                channels=project.channels,
            )
        except UserError as error:
            if name not in NAMES:
                raise UserError(f"--published {name}: {error}") from None
            left_out[name] = str(error)
        else:
            networks.append(Network(spec))
    return networks, left_out


def planned(project: Project, config: Config) -> tuple[dict[str, Members], dict[str, str]]:
    """The sets whose networks are known before anything is trained; and what is left out of them, and why."""
    seeds, sets, left_out = range(config.seeds), dict[str, Members](), dict[str, str]()

    def jobs(architectures: list[Architecture], seed: int, start: str = "scratch") -> list[Job]:
        return [Job(Network(project.to_spec(a), a), start, seed) for a in architectures]

    front = our_front(project, config.count)
    sets[OURS] = [jobs(front, seed, "supernet") for seed in seeds]
    sets[SCRATCH] = [jobs(front, seed) for seed in seeds]
    if "b" in config.sets:
        drawn = [random_networks(project, config.networks, draw=config.draw_of(seed)) for seed in seeds]
        few = min(len(front), config.networks)
        sets[f"random, {few} evenly over cost"] = [jobs(spread(drawn[seed], few), seed) for seed in seeds]
        sets[ALL] = [jobs(drawn[seed], seed) for seed in seeds]
    if "c" in config.sets:
        for name, count in counts(project).items():
            chosen = most_of(project, count, len(front))
            sets[name] = [jobs(chosen, seed) for seed in seeds]
    if "d" in config.sets:
        networks, left_out = published(project, config.published)
        if networks:
            sets[PUBLISHED] = [[Job(network, "scratch", seed) for network in networks] for seed in seeds]
    return sets, left_out


def random_jobs(project: Project, config: Config, seed: int) -> Iterator[Job]:
    """What random search trains, one after the other."""
    for architecture in in_random_order(project, config.networks, draw=config.draw_of(seed)):
        yield Job(Network(project.to_spec(architecture), architecture), "scratch", seed)
