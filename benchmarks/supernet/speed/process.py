"""One of the two supernets in a process of its own: how soon it has made a first step, and its memory.

`benchmarks.supernet.speed` starts it with the name of the side, when it did so (`time.time()`), and the
pickled `Workload` on standard input. The other side's library is never imported.
"""

import json
import pickle
import resource
import sys
import time
from pathlib import Path

from benchmarks.supernet.speed.device import choose_device
from benchmarks.supernet.speed.rounds import INDUCTOR
from benchmarks.supernet.speed.workload import Contender, Workload

NUM_STEPS = 3  # of training, for the memory that it takes
NUM_EVALUATED = 2


def measure(side: str, started: float, workload: Workload) -> dict[str, float]:
    """Seconds since `started`, then the peaks of memory, as the table calls them.

    Imports, drawing the weights and compiling are part of the first step; evaluating is timed by itself.
    """
    contender = start(side, workload)
    seconds = {"s to be imported and built": time.time() - started}
    for number in range(NUM_STEPS):
        contender.train(contender.put(*workload.training_batch(number)), workload.subnets(number))
        seconds.setdefault("s to the first step", time.time() - started)
    training = peak_memory_mib()
    began = time.time()
    for architecture in workload.evaluated(NUM_EVALUATED, 0):
        contender.evaluate([architecture])
        seconds.setdefault("s to evaluate a first subnet", time.time() - began)
    return {**seconds, "peak MiB, training": training, "peak MiB, evaluating too": peak_memory_mib()}


def start(side: str, workload: Workload) -> Contender:
    """The contender, its library imported only now."""
    if side == "ours":
        from benchmarks.supernet.speed.ours import Ours
        from hytnas_jax.runtime.preparation import prepare_process

        prepare_process()
        choose_device(workload.device)
        return Ours(workload)
    from benchmarks.supernet.speed.peer import Peer

    backend = INDUCTOR if "compiled" in side else None
    return Peer(workload, channels_last="channels-last" in side, compiled=backend)


def peak_memory_mib() -> float:
    """The most memory this process has held so far, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # on Linux, ru_maxrss remembers the parent's memory too
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], float(sys.argv[2]), pickle.load(sys.stdin.buffer))))
