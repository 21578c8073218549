"""What estimating many architectures costs, beside asking for one at a time.

    python -m benchmarks.search.estimator_speed

Of the space `hybrid`: parameters, MACs and peak memory; predicted latency, features included; the Zen-score,
at 48 pixels and at all resolutions; and a suggestion of 8 networks after 300 evaluations. "One at a time" is
what one would plainly write: a network's graph counted with nothing remembered of others; a predictor asked
for one network; a program compiled for each network (`zen_score`); NSGA-II with the surrogate and the known
objective asked for one candidate. It is measured on a sample of the same networks and scaled to their number;
the suggestion is made as a whole, after another one. All else starts with nothing remembered; the Zen-score's
seconds contain compiling, once for each resolution. Each line says whether both ways give the same.
"""

import dataclasses
import functools
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import jax
import numpy as np

from benchmarks.common import main, require_at_least
from benchmarks.search.overhead import BATCH, MadeUp
from hytnas_jax import console
from hytnas_jax.mobo import Observations, Problem, Settings, suggest
from hytnas_jax.mobo.surrogates import SURROGATES, Function, GaussianProcess
from hytnas_jax.search.cached_estimator import DECIMALS
from hytnas_jax.shared_flags.settings import settings_of
from proxies import complexity as complexity_module
from proxies import parts
from proxies.complexity import complexity, complexity_table
from proxies.latency import features as features_module
from proxies.latency.features import latency_features
from proxies.zen_network import scored_network, scored_supernet
from proxies.zen_score import ZenScore, draw, score_once, zen_score
from supernet import graph, search_space
from supernet.architecture import Architecture
from supernet.search_space import SearchSpace
from supernet.subnet import slice_subnet

CACHING = (graph, search_space, parts, complexity_module, features_module)
SMALL_RESOLUTION = 48
TOLERANCE = 1e-3  # of Zen-scores, whose standard deviation between networks is 6


@dataclasses.dataclass(frozen=True)
class Config:
    """Compare estimating a population with estimating one network at a time."""

    complexity: int = 100_000
    """Architectures whose parameters, MACs and peak memory are counted."""
    latency: int = 10_000
    """Architectures whose latency is predicted."""
    zen_score: int = 1_000
    """Architectures whose Zen-score is computed."""
    evaluations: int = 300
    """What the search has evaluated before it suggests."""
    sample: int = 500
    """Networks that are counted and predicted one at a time."""
    compiled: int = 4
    """Networks for which a Zen-score of their own is compiled."""
    name: str = "estimator_speed"
    """Of the result's file."""


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of the table: seconds for `number`, some of them compiling; `asked` were asked one at a time."""

    estimate: str
    number: int
    seconds: float
    one_at_a_time: float
    asked: int
    same: bool
    compiling: float = 0.0

    @property
    def cells(self) -> tuple[Any, ...]:
        """As printed and written."""
        scaled = self.one_at_a_time / self.asked * self.number
        ratio = scaled / self.seconds
        return (
            self.estimate,
            self.number,
            round(self.seconds, 2),
            round(self.compiling, 2),
            round(scaled, 1),
            self.asked,
            round(ratio, 1),
            self.same,
        )


HEADER = (
    "estimate",
    "number",
    "s",
    "of it compiling",
    "s one at a time",
    "asked one at a time",
    "ratio",
    "same",
)


def benchmark(config: Config) -> dict[str, Any]:
    """Measure and print the table."""
    require_at_least(config, dict.fromkeys(settings_of(config, without=("name",)), 1))
    jax.config.update("jax_enable_compilation_cache", False)
    made_up = MadeUp()
    small = made_up.space.with_resolutions((SMALL_RESOLUTION,))
    measures: tuple[Callable[[], Row], ...] = (
        lambda: count(made_up, config.complexity, config.sample),
        lambda: predict(made_up, config.latency, config.sample),
        lambda: score(small, f"Zen-score, {SMALL_RESOLUTION} px", config.zen_score, config.compiled),
        lambda: score(made_up.space, "Zen-score, all resolutions", config.zen_score, config.compiled),
        lambda: suggestion(made_up, config.evaluations),
    )
    rows = []
    for measure in measures:
        rows.append(measure().cells)
        console.say(" ".join(map(str, rows[-1])))
    console.table(rows, HEADER)
    return {
        "rows": [dict(zip(HEADER, row, strict=True)) for row in rows],
    }


def count(made_up: MadeUp, number: int, asked: int) -> Row:
    """Complexity."""
    members = drawn(made_up.space, number)
    forget()
    table, seconds = timed(lambda: complexity_table(members, made_up.to_spec))
    single, one = one_at_a_time(
        lambda member: dataclasses.astuple(complexity(made_up.to_spec(member))), members[:asked]
    )
    return Row("complexity", number, seconds, one, len(single), np.array_equal(table[:asked], single))


def predict(made_up: MadeUp, number: int, asked: int) -> Row:
    """Latency from architectures."""
    members = drawn(made_up.space, number)
    forget()
    predictions, seconds = timed(lambda: made_up.latency(members))
    single, one = one_at_a_time(functools.partial(latency_of, made_up), members[:asked])
    # The last bits of a matrix product depend on its number of rows.
    same = np.allclose(predictions[:asked], single, rtol=1e-12)
    return Row("latency", number, seconds, one, len(single), same)


def score(space: SearchSpace, estimate: str, number: int, asked: int) -> Row:
    """Zen-score; the same is what networks score that are sliced out of the supernet's random weights."""
    members = drawn(space, number)
    estimator = ZenScore(space, channels=3)
    one_of_each = list({member.resolution: member for member in members}.values())
    _, compiling = timed(lambda: estimator(one_of_each))
    scores, scoring = timed(lambda: estimator(members))
    key = jax.random.key(1)
    single, one = one_at_a_time(
        lambda member: zen_score(space.network_spec(member, num_classes=1), key), members[:asked]
    )
    sliced = [score_of_slice(estimator, member) for member in members[:asked]]
    same = np.allclose(scores[:asked], sliced, atol=TOLERANCE)
    return Row(estimate, number, compiling + scoring, one, len(single), same, compiling)


def score_of_slice(estimator: ZenScore, member: Architecture) -> float:
    """The Zen-score of the stand-alone network that has the weights of the estimator's first draw."""
    rules: Any = {"layer_norm": estimator.layer_norm, "shortcuts": estimator.shortcuts}
    of_space = scored_supernet(
        estimator.space, channels=estimator.channels, resolution=member.resolution, **rules
    )
    images = (estimator.batch, member.resolution, member.resolution, estimator.channels)
    key = jax.random.fold_in(jax.random.key(estimator.seed), 0)
    params, pair = jax.jit(lambda key: draw(key, of_space, images))(key)
    stats = jax.tree.map(lambda leaf: np.zeros(leaf.shape, np.float32), of_space.abstract_stats)
    spec, own, _ = slice_subnet(estimator.space, member, params, stats)
    model = scored_network(spec, **rules)
    return float(jax.jit(lambda params, pair: score_once(model, params, pair))(own, pair))


def suggestion(made_up: MadeUp, evaluations: int) -> Row:
    """The next batch of a search for error and latency."""
    problem = made_up.problem(("error", "latency_ms"))
    genes = made_up.space.sample(np.random.default_rng(0), evaluations)
    latency = made_up.latency(made_up.space.decode_all(genes))
    error = made_up.error(genes, np.random.default_rng(1))
    observations = Observations(genes, np.stack([error, latency], axis=1))

    def next_batch(problem: Problem, settings: Settings, seed: int = 0) -> np.ndarray:
        rng = np.random.default_rng(seed)
        return suggest(problem, observations, batch=BATCH, settings=settings, rng=rng)[0]

    next_batch(problem, Settings(), seed=1)  # the one before it
    batch, seconds = timed(lambda: next_batch(problem, Settings()))
    SURROGATES["gp one at a time"] = cast(Any, OneAtATime)
    singly = Settings(surrogate="gp one at a time")
    single, one = timed(lambda: next_batch(plain(made_up, problem), singly))
    return Row("suggestion", BATCH, seconds, one, BATCH, np.array_equal(batch, single))


def plain(made_up: MadeUp, problem: Problem) -> Problem:
    """The problem with its latency predicted for one candidate at a time, and nothing remembered."""

    def latency(genes: np.ndarray) -> np.ndarray:
        members = made_up.space.decode_all(genes)
        return np.round(one_at_a_time(functools.partial(latency_of, made_up), members)[0], DECIMALS)

    error, known = problem.objectives
    return dataclasses.replace(problem, objectives=(error, dataclasses.replace(known, known=latency)))


class OneAtATime:
    """The Gaussian process, asked for one candidate at a time: a `Surrogate` and its `Predictor`."""

    def __init__(self, *, seed: int) -> None:
        self._process = GaussianProcess(seed=seed)

    def fit(self, x: np.ndarray, y: np.ndarray, noise: np.ndarray) -> "OneAtATime":
        """As `GaussianProcess.fit`."""
        self._fitted = self._process.fit(x, y, noise)
        return self

    def predict(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As that of the Gaussian process."""
        rows = [self._fitted.predict(row[None]) for row in features]
        return np.concatenate([mean for mean, _ in rows]), np.concatenate([std for _, std in rows])

    def draw(self, rng: np.random.Generator) -> Function:
        """As that of the Gaussian process."""
        return self._fitted.draw(rng)


def latency_of(made_up: MadeUp, member: Architecture) -> float:
    """Milliseconds of one network."""
    return float(made_up.latency.predictor.predict(latency_features(made_up.to_spec(member))[None])[0])


def drawn(space: SearchSpace, number: int) -> list[Architecture]:
    """Random architectures, the same in every run."""
    return space.decode_all(space.sample(np.random.default_rng(0), number))


def one_at_a_time(
    estimate: Callable[[Architecture], Any], members: Sequence[Architecture]
) -> tuple[list[Any], float]:
    """The estimate of each, nothing remembered of others, and the seconds of all."""
    values, total = [], 0.0
    for member in members:
        forget()
        value, seconds = timed(lambda member=member: estimate(member))  # type: ignore[misc]
        values.append(value)
        total += seconds
    return values, total


def forget() -> None:
    """Nothing is remembered of any network."""
    for module in CACHING:
        for function in vars(module).values():
            if hasattr(function, "cache_clear"):
                function.cache_clear()


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """What it returns, and the seconds it takes."""
    started = time.perf_counter()
    value = call()
    return value, time.perf_counter() - started


if __name__ == "__main__":
    main(benchmark, Config)
