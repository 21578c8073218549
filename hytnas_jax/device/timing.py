"""How long exported models take on this machine in their runtimes: one thread, one picture at a time.

A single timing is off by tens of per cent on a machine that does anything else. Here the models
take turns: in each round each runs a few times and keeps its quickest run; its latency is the
median over rounds. So a neighbour's load slows all models alike and their order stays. What is
read is the thread's processor time, which stands still while another process has the core; on an
idle machine it is the wall-clock time (within 1 %).
"""

import dataclasses
import statistics
import time
from collections.abc import Callable, Iterable, Iterator

from scipy.stats import binom

from hytnas_jax.device.runtimes import load

# Of one round of one model.
ROUND_SECONDS, ROUND_RUNS = 0.01, 2
MIN_ROUNDS = 9
CONFIDENCE = 0.95
# What takes turns together is in memory together: the models' bytes, of which the runtime keeps a
# copy or two. Activations are given back after each round.
MAX_BYTES_AT_ONCE = 256 * 2**20


@dataclasses.dataclass(frozen=True)
class Timing:
    """One model's latency: the median over rounds of the quickest run, in milliseconds.

    `low_ms` and `high_ms` are the 95 % confidence interval of the median from the rounds' order
    (Conover, Practical Nonparametric Statistics, section 3.2): no distribution is assumed.
    """

    latency_ms: float
    low_ms: float
    high_ms: float
    num_rounds: int

    @property
    def half_width(self) -> float:
        """Half the interval over the median: 0.02 reads "plus or minus 2 %"."""
        return (self.high_ms - self.low_ms) / (2 * self.latency_ms)


def time_models(
    models: Iterable[bytes],
    *,
    tolerance: float = 0.02,
    seconds: float = 0.5,
    on_round: Callable[[int], None] | None = None,
) -> Iterator[tuple[int, Timing]]:
    """Time models in turns; each result comes as soon as it is certain enough.

    Args:
        models: serialised ONNX or TFLite models with one input, whose symbolic axes are taken as 1.
            They may come from a generator: no more are asked for than fit into memory at once.
        tolerance: a model is done once its `half_width` is this small ...
        seconds: ... or it has been running for this long, after `MIN_ROUNDS` at the least.
        on_round: called with the number of each round, from 1.

    Yields:
        A model's index and its timing, in the order in which they are done.
    """
    first = 0
    for batch in _batches(models):
        running = {first + i: _Timed(model) for i, model in enumerate(batch)}
        first += len(batch)
        batch.clear()
        number = 0
        while running:
            number += 1
            if on_round is not None:
                on_round(number)
            for index, timed in list(running.items()):
                timed.run_round()
                if len(timed.minima) < MIN_ROUNDS:
                    continue
                timing = summarize(timed.minima)
                if timing.half_width <= tolerance or timed.seconds >= seconds:
                    del running[index]
                    yield index, timing


def summarize(minima_ms: list[float]) -> Timing:
    """The timing that the quickest runs of the rounds, in milliseconds, amount to."""
    ordered = sorted(minima_ms)
    # How many rounds lie below the true median by chance; with under six the range is all there is.
    rank = int(binom.ppf((1 - CONFIDENCE) / 2, len(ordered), 0.5))
    low = max(rank - 1, 0)
    return Timing(statistics.median(ordered), ordered[low], ordered[-1 - low], len(ordered))


def _batches(models: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Lists of models, each full as soon as it holds `MAX_BYTES_AT_ONCE`."""
    batch: list[bytes] = []
    for model in models:
        batch.append(model)
        if sum(map(len, batch)) >= MAX_BYTES_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


class _Timed:
    """A model that is being timed."""

    def __init__(self, model: bytes) -> None:
        self.minima: list[float] = []
        self.seconds = 0.0
        self._model = load(model)

    def run_round(self) -> None:
        """Adds the quickest of a few runs to `minima`."""
        begin = time.perf_counter()
        self._model.run_once()  # into cold caches and an empty arena
        best, started, runs = float("inf"), time.perf_counter(), 0
        while runs < ROUND_RUNS or time.perf_counter() - started < ROUND_SECONDS:
            before = time.thread_time()
            self._model.run_once()
            best = min(best, time.thread_time() - before)
            runs += 1
        self._model.release()
        self.minima.append(round(1000 * best, 6))  # to the clock's nanosecond
        self.seconds += time.perf_counter() - begin
