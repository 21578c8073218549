"""How well the search finds a trained supernet's best networks, against what one would do without it.

    python -m benchmarks.search.on_supernet --workdir runs/person

In the work folder train_supernet and measure_latency have ended. Each strategy (`strategies`) searches
with every seed, from the initial design that `hytnas_jax.search` draws with that seed; `default` and `random`
evaluate what that command and its baseline evaluate. `comparison` says what is reported.

What is evaluated is kept in `<workdir>/benchmark_search/`, a row for each network, and never evaluated again:
the same command after a kill goes on, and after a change of the search it evaluates only what is new. The
seconds that a suggestion takes are those of this run, on this machine with whatever else it was doing;
`search.overhead` measures them alone.
"""

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import main, require_at_least, save_plot, show
from benchmarks.search.comparison import QUARTILES, Trajectory, Volumes, figure, measure, overhead, summarise
from benchmarks.search.strategies import STRATEGIES, Propose
from hytnas_jax import console
from hytnas_jax.files.atomic import CsvLog
from hytnas_jax.mobo import Observations
from hytnas_jax.search.loop import EvaluationBudget, initial_genes
from hytnas_jax.search.problem import SearchProblem, make_search_problem
from hytnas_jax.workspace.project import Project, open_project
from hytnas_jax.workspace.workdir import Workdir
from supernet.errors import UserError


@dataclasses.dataclass(frozen=True)
class Config:
    """Compare the search with the original's setting, NSGA-II and random search on a trained supernet."""

    workdir: Path
    """The work folder; train_supernet and measure_latency have ended in it."""
    objectives: tuple[str, ...] = ("error", "latency_ms")
    """What to trade off, as in hytnas_jax.search, with error or zen_score among them."""
    evaluations: int = 80
    """Networks that each search evaluates in all."""
    initial: int = 24
    """How many of them are the initial design, which the strategies share."""
    batch: int = 8
    """Networks that are suggested at once."""
    seeds: int = 5
    """Searches of each strategy."""
    name: str = "search_on_supernet"
    """Of the result's files."""


class CachedEvaluations:
    """The values of networks, each evaluated once: a CSV file of genes and evaluated objectives."""

    def __init__(self, search_problem: SearchProblem, folder: Path) -> None:
        self._problem = search_problem
        self._evaluated = [m for m, o in enumerate(search_problem.problem.objectives) if o.known is None]
        self._names = [search_problem.problem.objectives[m].name for m in self._evaluated]
        if not self._names:
            raise UserError("--objectives: all are known without evaluating; give error or zen_score too")
        self._log = CsvLog(folder / f"{'+'.join(self._names)}.csv", ("genes", *self._names, "seconds"))
        rows = self._log.rows()
        self._values = {row["genes"]: [float(row[name]) for name in self._names] for row in rows}
        self.seconds = [float(row["seconds"]) for row in rows]

    def __call__(self, genes: np.ndarray) -> np.ndarray:
        """Values [M] of one canonical code [G], in the user's units."""
        key = " ".join(map(str, genes))
        if key not in self._values:
            started = time.perf_counter()
            values = self._problem.evaluate(genes[None]).values[0, self._evaluated].tolist()
            self.seconds.append(round(time.perf_counter() - started, 3))
            named = dict(zip(self._names, values, strict=True))
            self._log.append({"genes": key, **named, "seconds": self.seconds[-1]})
            self._values[key] = values
        evaluated = iter(self._values[key])
        objectives = self._problem.problem.objectives
        return np.array([next(evaluated) if o.known is None else o.known(genes[None])[0] for o in objectives])


def search(
    propose: Propose, initial: np.ndarray, evaluations: int, evaluate: Callable[[np.ndarray], np.ndarray]
) -> Trajectory:
    """Evaluate the initial genes [I, G], then batch after batch, until there are no more or enough."""
    genes, values = initial, np.array([evaluate(code) for code in initial])
    suggestions = []
    while len(genes) < evaluations:
        suggested = propose(Observations(genes, values))
        new = suggested.genes[: evaluations - len(genes)]
        if len(new) == 0:
            break
        suggestions.append((len(genes), suggested.seconds))
        genes = np.concatenate([genes, new])
        values = np.concatenate([values, [evaluate(code) for code in new]])
    return Trajectory(values, suggestions)


def search_all(
    search_problem: SearchProblem, cache: CachedEvaluations, config: Config
) -> dict[str, list[Trajectory]]:
    """Strategy -> its searches, one for each seed; a seed's searches are made together, so that what a kill
    leaves behind serves a run of fewer --seeds."""
    searches: dict[str, list[Trajectory]] = {name: [] for name in STRATEGIES}
    with console.progress(config.seeds * len(STRATEGIES) * config.evaluations, "searching") as bar:
        for seed in range(config.seeds):
            initial = initial_genes(
                search_problem, EvaluationBudget(config.evaluations, config.initial, config.batch, seed)
            )
            for name, start in STRATEGIES.items():

                def evaluate(code: np.ndarray, at: str = f"seed {seed}, {name}") -> np.ndarray:
                    values = cache(code)
                    bar.note(f"{at} · {len(cache.seconds)} different networks")
                    bar.advance()
                    return values

                propose = start(search_problem.problem, config.batch, seed)
                searches[name].append(search(propose, initial, config.evaluations, evaluate))
    return searches


def result(
    project: Project,
    config: Config,
    cache: CachedEvaluations,
    searches: Mapping[str, Sequence[Trajectory]],
    volumes: Volumes,
) -> dict[str, Any]:
    """The content of the JSON file."""
    return {
        "space": project.space.name,
        "resolutions": list(project.space.resolution),
        "data": project.source,
        "supernet": project.workdir.step("supernet").done()["summary"],
        "networks_evaluated": len(cache.seconds),
        "seconds_an_evaluation": round(float(np.median(cache.seconds)), 3),
        "summary": summarise(volumes.shares, initial=config.initial),
        "share_at_the_end": {name: share[:, -1].round(4) for name, share in volumes.shares.items()},
        "reference": dict(zip(config.objectives, volumes.reference.tolist(), strict=True)),
        "hypervolume_of_all": volumes.best,
        "hypervolume": {
            name: {key: np.quantile(history, q, axis=0).round(4) for key, q in QUARTILES.items()}
            for name, history in volumes.histories.items()
        },
        "seconds_a_suggestion": {name: overhead(searches[name]) for name in ("default", "original")},
    }


def benchmark(config: Config) -> dict[str, Any]:
    """Search, print the table, and write the figure."""
    require_at_least(config, {"initial": 2, "batch": 1, "seeds": 1, "evaluations": config.initial + 1})
    project = open_project(Workdir(config.workdir))
    supernet = project.workdir.step("supernet").require("train_supernet")["id"]
    step = project.workdir.step("benchmark_search")
    step.begin({}, {"data": project.done_id, "supernet": supernet})
    search_problem = make_search_problem(project, config.objectives, limits={}, features="genes")
    cache = CachedEvaluations(search_problem, step.folder)
    searches = search_all(search_problem, cache, config)
    volumes = measure(
        search_problem.problem, searches, initial=config.initial, evaluations=config.evaluations
    )
    data = result(project, config, cache, searches, volumes)
    show(data["summary"])
    title = (
        f"{' and '.join(config.objectives)}, space {project.space.name}, {project.source}\n"
        f"median and quartiles of {config.seeds} seeds"
    )
    save_plot(config.name, figure(volumes.shares, initial=config.initial, title=title))
    return data


if __name__ == "__main__":
    main(benchmark, Config)
