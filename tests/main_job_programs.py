"""Which programs all steps of a main job compile, and of how many kernels: counted, not timed.

    python tests/main_job_programs.py            # prints it beside what was accepted
    python tests/main_job_programs.py --accept   # accepts it: commit tests/main_job_programs.json

They are those of examples/own_images.py, from XLA's dumps. `test_main_job_programs` fails for a
new program, and where a figure grew by more than `compiled_work.TOLERANCE`. Which network is retrained hangs
on measured latencies, so that of the programs of one network (OF_A_NETWORK) only their number counts.
"""

import json
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import compiled_work
import jax
from conftest import run_example

ACCEPTED = Path(__file__).with_suffix(".json")
OF_A_NETWORK = ("calibrate", "outputs")
SMALL = 20  # operations; fewer are what JAX makes of single operations outside of any program
_DUMP = re.compile(r"module_\d+\.jit_(\w+)\.cpu_after_optimizations\.txt")

Programs = dict[str, dict[str, int]]


def measure(dumps: Path) -> Programs:
    """Name of the function -> {"programs": how many, "kernels": of all; of the largest one of `train`}."""
    found: Programs = {}
    for path in sorted(dumps.iterdir()):
        dump = _DUMP.fullmatch(path.name)
        if dump is None:
            continue
        name, text = dump[1], path.read_text()
        if text.count(" = ") < SMALL:
            continue
        figures = found.setdefault(name, {"programs": 0, "kernels": 0})
        figures["programs"] += 1
        if name == "train":  # the other one is that of a network
            figures["kernels"] = max(figures["kernels"], text.count(" fusion("))
        elif name not in OF_A_NETWORK:
            figures["kernels"] += text.count(" fusion(")
    return found


def excess(measured: Programs, accepted: Mapping[str, Mapping[str, int]]) -> list[str]:
    """What is new, and what grew by more than the tolerance, in words."""
    known = {name: figures for name, figures in measured.items() if name in accepted}
    new = [f"{name}: a new program" for name in measured if name not in accepted]
    return new + compiled_work.excess({"programs": known}, {"programs": accepted})


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        run_example(Path(folder))
        now = measure(Path(folder) / "dumps")
    if "--accept" in sys.argv[1:]:
        ACCEPTED.write_text(json.dumps({"jax": jax.__version__, "programs": now}, indent=2) + "\n")
    before = json.loads(ACCEPTED.read_text())["programs"] if ACCEPTED.exists() else now
    for program in dict.fromkeys([*now, *before]):
        print(f"{program:24s} now {now.get(program)}, accepted {before.get(program)}")
