"""Measures the models of this folder on the device that it is copied to.

    python measure.py --device raspberry-pi-4
    python measure.py --device raspberry-pi-4-two-threads --threads 2

Needs Python 3.9, numpy, and a runtime: onnxruntime for .onnx files; ai-edge-litert or tflite-runtime for
.tflite ones. Writes DEVICE.csv; the same command again goes on where it was cut.

A single timing is off by tens of per cent on a machine that does anything else. Here the models take turns:
in each round each runs a few times and keeps its quickest run; its latency is the median over rounds. So a
neighbour's load slows all models alike and their order stays. On one thread the thread's processor time is
read, which stands still while another process has the core; it is the wall-clock time of an idle machine
(within 1%).

It is one file, which imports nothing of hytnas_jax: that it measures with, and `device_kit` copies it.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import dataclasses
import json
import math
import os
import platform
import re
import statistics
import sys
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

# Of one round of one model.
ROUND_SECONDS, ROUND_RUNS = 0.01, 2
MIN_ROUNDS = 9
CONFIDENCE = 0.95
# What takes turns together is in memory together: the models' bytes, of which the runtime keeps a
# copy or two: a board with 512 MB has to manage. Activations are given back after each round.
MAX_BYTES_AT_ONCE = 64 * 2**20
TFLITE_IDENTIFIER = b"TFL3"  # a file's bytes 4 to 7
ENERGY_COUNTER = Path("/sys/class/powercap/intel-rapl:0/energy_uj")  # RAPL
ENERGY_SECONDS = 0.3  # a model runs to be set against the counter
# Of what was measured before, measured again to see whether the device is as quick; the change that is told.
NUM_CHECKED, SHIFTED = 5, 0.1
TIMING = ("model", "latency_ms", "low_ms", "high_ms", "num_rounds")
# What cannot be one image's time: less than the clock's nanosecond, and what nobody waits for. It is in
# another unit, or the clock was set.
SHORTEST_MS, LONGEST_MS = 1e-6, 600_000.0
Model = TypeVar("Model", bound=Hashable)  # what a model is known by


@dataclasses.dataclass(frozen=True)
class Timing:
    """One model's latency: the median over rounds of the quickest run, in milliseconds.

    `low_ms` and `high_ms` are the 95% confidence interval of the median from the rounds' order
    (Conover, Practical Nonparametric Statistics, section 3.2): no distribution is assumed.
    """

    latency_ms: float
    low_ms: float
    high_ms: float
    num_rounds: int

    @property
    def half_width(self) -> float:
        """Half the interval over the median: 0.02 reads "plus or minus 2%"."""
        return (self.high_ms - self.low_ms) / (2 * self.latency_ms)

    @staticmethod
    def from_cells(cells: Mapping[str, str]) -> Timing:
        """The timing in a row of a table. Raises ValueError for what cannot be one."""
        low, latency, high = (_cell(cells, column, float) for column in ("low_ms", "latency_ms", "high_ms"))
        rounds = _cell(cells, "num_rounds", int)
        if not (0 < low <= latency <= high < math.inf):
            raise ValueError(
                f"low_ms {low}, latency_ms {latency}, high_ms {high} must be positive and ascend"
            )
        if not SHORTEST_MS <= latency <= LONGEST_MS:
            few = "less than a nanosecond" if latency < SHORTEST_MS else "more than ten minutes"
            raise ValueError(f"latency_ms {latency:g} is {few}; is it in another unit?")
        if rounds < 1:
            raise ValueError(f"num_rounds {rounds} must be at least 1")
        return Timing(latency, low, high, rounds)


def _cell(cells: Mapping[str, str], column: str, kind: type) -> Any:
    try:
        return kind(cells[column])
    except (TypeError, ValueError):
        wanted = "whole number" if kind is int else "number"
        raise ValueError(f"{column} is {cells[column]!r}, which is no {wanted}") from None


def time_models(
    models: Iterable[bytes],
    *,
    threads: int = 1,
    tolerance: float = 0.02,
    seconds: float = 0.5,
    on_round: Callable[[int], None] | None = None,
) -> Iterator[tuple[int, Timing]]:
    """Time models in turns; each result comes as soon as it is certain enough.

    Args:
        models: serialised ONNX or TFLite models with one input, whose symbolic axes are taken as 1.
            They may come from a generator: no more are asked for than fit into memory at once.
        threads: that a model may use.
        tolerance: a model is done once its `half_width` is this small ...
        seconds: ... or it has been running for this long, after `MIN_ROUNDS` at the least.
        on_round: called with the number of each round, from 1.

    Yields:
        A model's index and its timing, in the order in which they are done.
    """
    first = 0
    for batch in _batches(models):
        running = {first + i: _Timed(model, threads) for i, model in enumerate(batch)}
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
    count, below, rank = len(ordered), 0.0, -1
    # How many rounds lie below the true median by chance; with under six the range is all there is.
    while below < (1 - CONFIDENCE) / 2:
        rank += 1
        below += math.comb(count, rank) / 2**count
    low = max(rank - 1, 0)
    return Timing(statistics.median(ordered), ordered[low], ordered[-1 - low], count)


def to_check(before: Mapping[Model, float]) -> list[Model]:
    """Which models, of known milliseconds, to measure again: evenly from the quick to the slow, without the
    ends; at most `NUM_CHECKED`. Not the first ones: a device that was just waking up measured them."""
    order = sorted(before, key=lambda model: before[model])
    count = min(NUM_CHECKED, len(order))
    return [order[int((place + 0.5) * len(order) / count)] for place in range(count)]


def shift(before: Mapping[Model, float], now: Mapping[Model, float]) -> float:
    """How many times as long as before the device takes now, by the median; 1 where nothing is in both."""
    ratios = [now[model] / before[model] for model in now if model in before]
    return statistics.median(ratios) if ratios else 1.0


def is_shifted(times: float) -> bool:
    """Whether a device that takes so many times as long is not the one that it was."""
    return abs(times - 1) > SHIFTED


def describe_shift(times: float) -> str:
    """ "1.5 times as slow as", "1.7 times as fast as", for a device that takes so many times as long."""
    return f"{times:.2g} times as slow as" if times > 1 else f"{1 / times:.2g} times as fast as"


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

    def __init__(self, model: bytes, threads: int) -> None:
        self.minima: list[float] = []
        self.seconds = 0.0
        self._clock = time.thread_time if threads == 1 else time.perf_counter
        self._model = load(model, threads)

    def run_round(self) -> None:
        """Adds the quickest of a few runs to `minima`."""
        begin = time.perf_counter()
        self._model.run_once()  # into cold caches and an empty arena
        best, started, runs = float("inf"), time.perf_counter(), 0
        while runs < ROUND_RUNS or time.perf_counter() - started < ROUND_SECONDS:
            before = self._clock()
            self._model.run_once()
            best = min(best, self._clock() - before)
            runs += 1
        self._model.release()
        self.minima.append(round(1000 * best, 6))  # to the clock's nanosecond
        self.seconds += time.perf_counter() - begin


class OnnxModel:
    """A model in ONNX Runtime."""

    def __init__(self, model: bytes, threads: int) -> None:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        for pool in ("intra_op", "inter_op"):
            options.add_session_config_entry(f"session.{pool}.allow_spinning", "0")
        # Eight bits: sums of products overflow on x86 processors without VNNI otherwise.
        options.add_session_config_entry("session.x64quantprecision", "1")
        options.log_severity_level = 3  # errors
        self.session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        (source,) = self.session.get_inputs()
        self.input = source.name
        shape = [size if isinstance(size, int) else 1 for size in source.shape]
        self._noise = {self.input: np.random.default_rng(0).standard_normal(shape, np.float32)}
        self._shrink = ort.RunOptions()
        self._shrink.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def run_once(self) -> None:
        """One image of noise."""
        self.session.run(None, self._noise)

    def release(self) -> None:
        """Gives back the memory of the activations."""
        self.session.run(None, self._noise, self._shrink)


class TFLiteModel:
    """A model in LiteRT, or in the older TFLite runtime."""

    def __init__(self, model: bytes, threads: int) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError:
            from tflite_runtime.interpreter import Interpreter
        with quiet_errors():  # it tells of its delegates
            self.interpreter = Interpreter(model_content=model, num_threads=threads)
            self.interpreter.allocate_tensors()
        (source,) = self.interpreter.get_input_details()
        noise = np.random.default_rng(0).standard_normal(source["shape"], np.float32)
        if source["dtype"] != np.float32:
            noise = np.clip(np.rint(32 * noise), -128, 127).astype(source["dtype"])
        self.interpreter.set_tensor(source["index"], noise)

    def run_once(self) -> None:
        """One image of noise."""
        self.interpreter.invoke()

    def release(self) -> None:
        """Nothing: a TFLite model keeps the memory that it has planned."""


def load(model: bytes, threads: int = 1) -> OnnxModel | TFLiteModel:
    """A serialised model, ready to run in the runtime that its first bytes are for.

    Raises ImportError where that is not installed, and what the runtime raises where it cannot run the model.
    """
    return TFLiteModel(model, threads) if model[4:8] == TFLITE_IDENTIFIER else OnnxModel(model, threads)


@contextlib.contextmanager
def quiet_errors() -> Iterator[None]:
    """Nothing reaches the standard error stream inside, from C++ neither."""
    stderr, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)


class Table:
    """DEVICE.csv: a row for each model that has been measured, with the genes of its network."""

    def __init__(self, path: Path, kit: dict[str, Any], device: str, threads: int) -> None:
        """Open or start the file. Raises ValueError where it is of another kit, or of another setting."""
        self.path = path
        self._genes = {model["name"]: model["genes"] for model in kit["models"]}
        self._constant = {
            "device": device,
            "threads": threads,
            "runtime": runtime_version(kit["models"][0]["file"]),
            "processor": processor(),
            "kit": kit["kit"],
        }
        self._header = [*TIMING, "energy_mj", "clock_mhz", "temperature_c", *self._constant, *kit["columns"]]
        for number, row in enumerate(self._rows(), start=2):
            for name, value in self._constant.items():
                if row[name] != str(value):
                    raise ValueError(
                        f"{path}, line {number}: {name} is {row[name]!r}, and {str(value)!r} now; give "
                        "another --device, or delete the file to measure anew"
                    )

    def measured(self) -> dict[str, float]:
        """Milliseconds by model. Raises ValueError naming the line that cannot be a measurement."""
        found = {}
        for number, row in enumerate(self._rows(), start=2):
            try:
                found[row["model"]] = Timing.from_cells(row).latency_ms
            except (TypeError, ValueError) as error:
                raise ValueError(f"{self.path}, line {number}: {error}; delete the line") from None
        return found

    def append(self, name: str, timing: Timing, energy_mj: float | None) -> None:
        """Adds a row; it is on the disk when this returns."""
        is_new = not self.path.exists() or not self.path.stat().st_size
        energy = "" if energy_mj is None else round(energy_mj, 6)
        measured = {"model": name, **dataclasses.asdict(timing), "energy_mj": energy, **sensors()}
        with self.path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self._header)
            if is_new:
                writer.writeheader()
            writer.writerow({**measured, **self._constant, **self._genes[name]})
            file.flush()
            os.fsync(file.fileno())

    def _rows(self) -> list[dict[str, str]]:
        """Whole rows; one that a cut has left half written is taken away from the file."""
        if not self.path.exists():
            return []
        data = self.path.read_bytes()
        header, (first, *rest) = ",".join(self._header).encode(), data.split(b"\n", 1)
        if first.rstrip(b"\r") != header and (rest or not header.startswith(first)):
            raise ValueError(
                f"{self.path}: its first line is not what this script writes there: it is of another kit, or "
                "another program has saved it anew; give another --device, or delete the file"
            )
        whole = data[: data.rfind(b"\n") + 1]
        if whole != data:
            os.truncate(self.path, len(whole))
        return list(csv.DictReader(whole.decode().splitlines()))


def runtime_version(file: str) -> str:
    """ "onnxruntime 1.32.0", or what runs .tflite files here. Raises ImportError where nothing does."""
    from importlib.metadata import PackageNotFoundError, version

    packages = ("onnxruntime",) if file.endswith(".onnx") else ("ai-edge-litert", "tflite-runtime")
    for package in packages:
        try:
            return f"{package} {version(package)}"
        except PackageNotFoundError:
            continue
    suffix = Path(file).suffix
    raise ImportError(f"the models are {suffix} files; nothing here runs them: pip install {packages[0]}")


def processor() -> str:
    """The processor's name where the system tells it, else the machine's kind."""
    for path, key in (("/proc/device-tree/model", None), ("/proc/cpuinfo", "model name")):
        try:
            text = Path(path).read_text()
        except OSError:
            continue
        if key is None:
            return text.strip("\0 \n")
        names = [line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith(key)]
        if names:
            return names[0]
    return platform.processor() or platform.machine()


def sensors() -> dict[str, Any]:
    """Clock in MHz and temperature in degrees Celsius, "" where they cannot be read."""
    found: dict[str, Any] = {}
    for name, path, divisor in (
        ("clock_mhz", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", 1000),
        ("temperature_c", "/sys/class/thermal/thermal_zone0/temp", 1000),
    ):
        try:
            found[name] = int(Path(path).read_text()) / divisor
        except (OSError, ValueError):
            found[name] = ""
    return found


def measure(paths: dict[str, Path], table: Table, threads: int, seconds: float) -> dict[str, str]:
    """Adds a row for each model that has none; gives the reasons of those that cannot be run."""
    before = table.measured()
    missing, failed = [], {}
    for name in paths:
        if name in before:
            continue
        try:
            load(paths[name].read_bytes(), threads)
            missing.append(name)
        except Exception as error:  # an operator that the runtime lacks, a damaged file: the others go on
            failed[name] = f"{type(error).__name__}: {error}".splitlines()[0]
    names, again = [*(to_check(before) if missing else []), *missing], {}
    show = Progress(len(names), seconds)
    models = (paths[name].read_bytes() for name in names)
    for index, timing in time_models(models, threads=threads, seconds=seconds, on_round=show.round):
        show.done += 1
        if names[index] in before:
            again[names[index]] = timing.latency_ms
        else:
            table.append(names[index], timing, energy_mj(paths[names[index]].read_bytes(), threads))
    times = shift(before, again)
    if is_shifted(times):
        failed["what was measured before"] = (
            f"the device is {describe_shift(times)} it was then: the rows are of two scales. "
            f"Delete {table.path.name} and measure all again while it does nothing else"
        )
    return failed


def energy_mj(model: bytes, threads: int) -> float | None:
    """Millijoules of one image by the processor's own counter; None where it has none that may be read.

    The counter is of the whole processor: what else runs, and what an idle processor takes, is in it.
    """
    if _counter_uj() is None:
        return None
    loaded, runs, started = load(model, threads), 0, time.perf_counter()
    loaded.run_once()
    before = _counter_uj()
    while time.perf_counter() - started < ENERGY_SECONDS:
        loaded.run_once()
        runs += 1
    after = _counter_uj()
    if before is None or after is None or after <= before or not runs:  # it has begun anew from 0
        return None
    return (after - before) / runs / 1000


def _counter_uj() -> int | None:
    try:
        return int(ENERGY_COUNTER.read_text())
    except (OSError, ValueError):
        return None


class Progress:
    """A line that says how far the measuring is."""

    def __init__(self, total: int, seconds: float) -> None:
        self.done = 0
        self._total, self._limit = total, 1.3 * seconds * total
        self._started = time.monotonic()

    def round(self, number: int) -> None:
        """Show the number of the round that begins."""
        left = max(0, round(self._limit - (time.monotonic() - self._started)))
        text = f"round {number}: {self.done} of {self._total} models done, {left} s left or less"
        print(f"\r{text} ", end="", file=sys.stderr, flush=True)


def main() -> None:
    """Measure what is not measured yet, and write a row for each model."""
    parser = argparse.ArgumentParser(description="Measure the models of this folder on this device.")
    parser.add_argument("--device", required=True, help="what to call this device; names the CSV file")
    parser.add_argument("--threads", type=int, default=1, help="that a model may use (default: 1; 1 to 1024)")
    parser.add_argument(
        "--seconds", type=float, default=0.5, help="for each model (default: 0.5; over 0 to 3600)"
    )
    arguments = parser.parse_args()
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", arguments.device):
        parser.error("--device: give letters, digits, dots, dashes and underscores")
    if not 1 <= arguments.threads <= 1024 or not 0 < arguments.seconds <= 3600:
        parser.error("--threads must be 1 to 1024, and --seconds over 0 to 3600")
    folder = Path(__file__).resolve().parent
    try:
        kit = json.loads((folder / "kit.json").read_text())
        paths = {model["name"]: folder / model["file"] for model in kit["models"]}
        table = Table(folder / f"{arguments.device}.csv", kit, arguments.device, arguments.threads)
        failed = measure(paths, table, arguments.threads, arguments.seconds)
    except (ImportError, OSError, ValueError) as error:
        parser.exit(2, f"error: {error}\n")
    except KeyboardInterrupt:
        parser.exit(130, "\nstopped; the same command again goes on from here\n")
    for name, reason in failed.items():
        print(f"\nwarning: {name}: {reason}", file=sys.stderr)
    print(f"\nwrote {table.path}: {len(table.measured())} of {len(paths)} models")
    print(f"next, where the kit was made: {kit['next'].replace('@DEVICE', arguments.device)}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
