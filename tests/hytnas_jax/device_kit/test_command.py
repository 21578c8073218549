"""A kit that is measured as on a device, by its script alone, and what is learnt from its table."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from hytnas_jax import device_kit, fit_latency
from hytnas_jax.search.config import Config as SearchConfig
from hytnas_jax.search.config import check as check_search
from hytnas_jax.search.problem import make_search_problem
from hytnas_jax.shared_flags.format_names import RuntimeName
from hytnas_jax.workspace.project import Project
from supernet.errors import UserError
from supernet.graph import build_graph

MakeFolder = Callable[..., Project]
NETWORKS = 12
TIMES = ("latency_ms", "low_ms", "high_ms")


def measure(kit: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """Runs the kit's script without anything of this package on its way."""
    command = [sys.executable, "-I", kit / "measure.py", "--seconds", "0.01", *flags]
    return subprocess.run(command, capture_output=True, text=True, cwd=kit)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def make_kit(work_folder: MakeFolder, tmp_path: Path) -> Callable[..., tuple[Project, Path]]:
    def make(runtime: RuntimeName = "onnxruntime", networks: int = NETWORKS) -> tuple[Project, Path]:
        project, kit = work_folder("data"), tmp_path / "kit"
        device_kit.main(device_kit.Config(project.workdir.path, kit, runtime=runtime, networks=networks))
        return project, kit

    return make


def test_from_kit_to_objective(make_kit: Callable[..., tuple[Project, Path]]) -> None:
    project, kit = make_kit()
    assert len(list((kit / "models").glob("*.onnx"))) == NETWORKS
    done = measure(kit, "--device", "toaster")
    assert done.returncode == 0, done.stderr
    assert "--device toaster --measurements toaster.csv" in done.stdout
    rows = rows_of(kit / "toaster.csv")
    assert len({row["model"] for row in rows}) == NETWORKS
    assert {(row["device"], row["threads"]) for row in rows} == {("toaster", "1")}

    config = fit_latency.Config(project.workdir.path, "toaster", (kit / "toaster.csv",))
    fit_latency.main(config)
    summary = project.workdir.step("devices/toaster").done()["summary"]
    assert summary["error"]["num_networks"] == NETWORKS
    assert summary["device"]["runtime"].startswith("onnxruntime ")

    search_problem = make_search_problem(
        project, ["latency_ms@toaster", "parameters"], limits={}, features="genes"
    )
    genes = project.space.sample(np.random.default_rng(0), 4)
    known = search_problem.problem.objectives[0].known
    assert known is not None
    assert (known(genes) > 0).all()
    assert len(search_problem.measured) == 1
    before = project.workdir.step("devices/toaster").done()["id"]
    fit_latency.main(config)  # the same table again: nothing new
    assert project.workdir.step("devices/toaster").done()["id"] == before


def test_a_cut_measurement_goes_on(make_kit: Callable[..., tuple[Project, Path]]) -> None:
    _, kit = make_kit(networks=10)
    table = kit / "pi.csv"
    assert measure(kit, "--device", "pi").returncode == 0
    whole = table.read_text().splitlines(keepends=True)
    table.write_text("".join(whole[:5]) + whole[5][:20])  # four rows, and one that was cut
    done = measure(kit, "--device", "pi")
    assert table.read_text().startswith("".join(whole[:5]))
    assert len(rows_of(table)) == 10
    assert done.returncode in (0, 1)  # 1 where the machine has become quicker or slower, which is told
    assert ("the rows are of two scales" in done.stderr) == (done.returncode == 1)
    refused = measure(kit, "--device", "pi", "--threads", "2")
    assert refused.returncode == 2
    assert "threads is '1', and '2' now" in refused.stderr


def test_a_model_that_cannot_be_run_is_named_and_the_others_measured(
    make_kit: Callable[..., tuple[Project, Path]],
) -> None:
    _, kit = make_kit(networks=10)
    broken = next((kit / "models").iterdir())
    broken.write_bytes(b"no model")
    done = measure(kit, "--device", "pi")
    assert done.returncode == 1
    assert f"warning: {broken.stem}: " in done.stderr
    assert len(rows_of(kit / "pi.csv")) == 9
    for flags in (("--device", "../pi"), ("--device", "pi", "--threads", "0")):
        assert measure(kit, *flags).returncode == 2


def test_tflite(make_kit: Callable[..., tuple[Project, Path]]) -> None:
    pytest.importorskip("ai_edge_litert", reason="hytnas_jax[tflite] is not installed")
    _, kit = make_kit("tflite", networks=10)
    done = measure(kit, "--device", "phone", "--threads", "2")
    assert done.returncode == 0, done.stderr
    rows = rows_of(kit / "phone.csv")
    assert len(rows) == 10
    assert rows[0]["runtime"].startswith("ai-edge-litert ")


def test_a_runtime_that_is_missing_is_named(make_kit: Callable[..., tuple[Project, Path]]) -> None:
    _, kit = make_kit(networks=10)
    script = kit / "measure.py"
    script.write_text(script.read_text().replace('("onnxruntime",)', '("no-such-runtime",)'))
    done = measure(kit, "--device", "pi")
    assert done.returncode == 2
    assert "pip install no-such-runtime" in done.stderr
    assert not (kit / "pi.csv").exists()


def test_the_front_is_compared_with_what_was_predicted(
    work_folder: MakeFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = work_folder("data")
    paths = []
    for kind, first, count in (("sample", 0, 20), ("front", 20, 3)):
        paths.append(write_table(project, tmp_path / f"{kind}.csv", kind=kind, first=first, count=count))
    fit_latency.main(fit_latency.Config(project.workdir.path, "pi", tuple(paths)))
    front = project.workdir.step("devices/pi").done()["summary"]["front"]
    assert len(front["networks"]) == 3
    assert front["error"]["mape"] < 0.3
    assert "by a predictor that has not seen them" in capsys.readouterr().out


def test_energy_by_the_processors_counter(
    make_kit: Callable[..., tuple[Project, Path]], tmp_path: Path
) -> None:
    """The counter here goes up by 5 mJ whenever it is read: an image's energy is that over the runs."""
    _, kit = make_kit(networks=10)
    counter = tmp_path / "counter"
    counter.write_text("0")
    script = kit / "measure.py"
    lines = script.read_text().replace(
        'Path("/sys/class/powercap/intel-rapl:0/energy_uj")', f'Path("{counter}")'
    )
    lines = lines.replace("ENERGY_SECONDS = 0.3", "ENERGY_SECONDS = 0.01").replace(
        "        return int(ENERGY_COUNTER.read_text())",
        "        ENERGY_COUNTER.write_text(str(int(ENERGY_COUNTER.read_text()) + 5000))\n"
        "        return int(ENERGY_COUNTER.read_text())",
    )
    script.write_text(lines)
    assert measure(kit, "--device", "pi").returncode == 0
    for row in rows_of(kit / "pi.csv"):
        runs = 5 / float(row["energy_mj"])
        assert runs == pytest.approx(round(runs), rel=1e-2)
        assert runs >= 1


def test_energies_of_a_power_meter_are_an_objective(work_folder: MakeFolder, tmp_path: Path) -> None:
    project = work_folder("data")
    path = write_table(project, tmp_path / "pi.csv", count=30)
    rows = [{**row, "energy_mj": str(3 * float(row["latency_ms"]))} for row in rows_of(path)]
    write_rows(path, rows)
    fit_latency.main(fit_latency.Config(project.workdir.path, "pi", (path,)))
    names = ["energy_mj@pi", "latency_ms@pi"]
    energy, latency = make_search_problem(project, names, limits={}, features="genes").problem.objectives
    assert (energy.unit, latency.unit) == ("mJ", "ms")
    assert energy.known is not None
    assert latency.known is not None
    genes = project.space.sample(np.random.default_rng(0), 5)
    np.testing.assert_allclose(energy.known(genes), 3 * latency.known(genes), rtol=1e-3)


def test_few_measurements_and_another_device_are_enough(
    work_folder: MakeFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = work_folder("data")
    path = project.workdir.path
    table = write_table(project, tmp_path / "pi.csv", count=40)
    fit_latency.main(fit_latency.Config(path, "pi", (table,)))
    few = write_table(project, tmp_path / "slow.csv", first=40, count=6)
    slow = [{**row, **{name: str(3 * float(row[name])) for name in TIMES}} for row in rows_of(few)]
    write_rows(few, slow)
    with pytest.raises(UserError, match="holds 6 networks"):
        fit_latency.main(fit_latency.Config(path, "slow", (few,)))
    with pytest.raises(UserError, match="known are pi, here"):
        fit_latency.main(fit_latency.Config(path, "slow", (few,), like="pie"))
    fit_latency.main(fit_latency.Config(path, "slow", (few,), like="pi"))
    before = project.workdir.step("devices/slow").done()["id"]
    with pytest.raises(UserError, match="holds 6 networks"):  # and what is there stays
        fit_latency.main(fit_latency.Config(path, "slow", (few,)))
    assert project.workdir.step("devices/slow").done()["id"] == before
    names = ["latency_ms@slow", "latency_ms@pi"]
    here, there = make_search_problem(project, names, limits={}, features="genes").problem.objectives
    assert here.known is not None
    assert there.known is not None
    genes = project.space.sample(np.random.default_rng(9), 20)
    np.testing.assert_allclose(here.known(genes), 3 * there.known(genes), rtol=0.1)
    assert "6 networks, each predicted without it" in capsys.readouterr().out


def write_table(
    project: Project, path: Path, *, kind: str = "sample", first: int = 0, count: int = 12
) -> Path:
    """A table as measure.py writes it, of a device that takes a microsecond for a thousand MACs."""
    space = project.space
    codes = np.unique(space.sample(np.random.default_rng(3), 200), axis=0)
    codes = np.random.default_rng(4).permutation(codes)[first : first + count]
    constant = {"num_rounds": 9, "kit": f"{kind}-0", "runtime": "x 1.0", "threads": 1, "processor": "p"}
    constant["energy_mj"] = ""
    rows = []
    for architecture in space.decode_all(codes):
        macs = 1e3 + sum(op.num_macs for op in build_graph(project.to_spec(architecture)).ops)
        timing = {"latency_ms": macs / 1e6, "low_ms": macs / 1.1e6, "high_ms": macs / 0.9e6}
        genes = space.to_json(architecture)["genes"]
        rows.append({"model": architecture.name, **timing, **constant, **genes})
    write_rows(path, rows)
    return path


def write_rows(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("latency_ms,", "latency_s,", "has no column 'latency_ms'"),
        ("stage1.depth", "stage9.depth", "has no column 'stage1.depth'"),
        (",9,sample-0", ",nine,sample-0", "line 2: num_rounds is 'nine', which is no whole number"),
    ],
)
def test_a_table_that_cannot_be_read_is_named(
    work_folder: MakeFolder, tmp_path: Path, old: str, new: str, says: str
) -> None:
    project = work_folder("data")
    path = write_table(project, tmp_path / "pi.csv")
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(UserError, match=says):
        fit_latency.main(fit_latency.Config(project.workdir.path, "pi", (path,)))
    assert not (project.workdir.path / "devices").exists()


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("low_ms", "-1", "must be positive and ascend"),
        ("latency_ms", "nan", "must be positive and ascend"),
        ("latency_ms", "1e7", "more than ten minutes"),
        ("model", "abc", "name is 'abc'"),
        ("stage1.depth", "77", "stage1.depth is '77'"),
        ("processor", "another", "a device is one processor"),
        ("energy_mj", "-3", "energy_mj -3 must be positive"),
    ],
)
def test_a_row_that_cannot_be_is_named(
    work_folder: MakeFolder, tmp_path: Path, column: str, value: str, says: str
) -> None:
    project = work_folder("data")
    path = write_table(project, tmp_path / "pi.csv")
    rows = rows_of(path)
    rows[1][column] = value
    if column == "latency_ms":
        rows[1]["high_ms"] = "1e8"
    write_rows(path, rows)
    with pytest.raises(UserError, match=f"line 3: .*{says}"):
        fit_latency.main(fit_latency.Config(project.workdir.path, "pi", (path,)))


def test_a_doubled_network_is_refused(work_folder: MakeFolder, tmp_path: Path) -> None:
    project = work_folder("data")
    path = write_table(project, tmp_path / "pi.csv")
    with pytest.raises(UserError, match="line 2 too; delete one of both"):
        fit_latency.main(fit_latency.Config(project.workdir.path, "pi", (path, path)))


def test_a_network_of_both_kits_counts_for_the_front(work_folder: MakeFolder, tmp_path: Path) -> None:
    project = work_folder("data")
    sample = write_table(project, tmp_path / "pi.csv", count=20)
    front = write_table(project, tmp_path / "front.csv", kind="front", first=18, count=4)
    fit_latency.main(fit_latency.Config(project.workdir.path, "pi", (front, sample)))
    summary = project.workdir.step("devices/pi").done()["summary"]
    assert len(summary["front"]["networks"]) == 4
    assert summary["error"]["num_networks"] == 22


def test_a_strange_row_is_told(
    work_folder: MakeFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = work_folder("data")
    path = write_table(project, tmp_path / "pi.csv", count=40)
    rows = rows_of(path)
    for name in TIMES:
        rows[7][name] = str(20 * float(rows[7][name]))
    write_rows(path, rows)
    fit_latency.main(fit_latency.Config(project.workdir.path, "pi", (path,)))
    assert "line 9: " in capsys.readouterr().err


def test_refusals(work_folder: MakeFolder, tmp_path: Path) -> None:
    project = work_folder("data")
    path = project.workdir.path
    (tmp_path / "there").mkdir()
    with pytest.raises(UserError, match="is there already"):
        device_kit.main(device_kit.Config(path, tmp_path / "there"))
    with pytest.raises(UserError, match=r"run: python -m hytnas_jax\.search"):
        device_kit.main(device_kit.Config(path, tmp_path / "kit", front=True))
    assert not (tmp_path / "kit").exists()
    with pytest.raises(UserError, match="a device's name"):
        fit_latency.main(fit_latency.Config(path, "../pi", (tmp_path / "x.csv",)))
    with pytest.raises(UserError, match="--device here: is what"):
        fit_latency.main(fit_latency.Config(path, "here", (tmp_path / "x.csv",)))
    with pytest.raises(UserError, match="cannot be read"):
        fit_latency.main(fit_latency.Config(path, "pi", (tmp_path / "x.csv",)))
    with pytest.raises(UserError, match="--measurements: give"):
        fit_latency.main(fit_latency.Config(path, "pi", ()))
    with pytest.raises(UserError, match="nothing asks for its latency"):
        check_search(SearchConfig(path, objectives=("error", "macs"), device="pi"))


def test_kit_json_says_what_the_models_are(make_kit: Callable[..., tuple[Project, Path]]) -> None:
    project, kit = make_kit(networks=10)
    described = json.loads((kit / "kit.json").read_text())
    assert described["kit"].startswith("sample-")
    assert described["columns"] == [gene.name for gene in project.space.genes]
    for model in described["models"]:
        genes = {"space": project.space.name, "genes": model["genes"]}
        assert project.space.from_json(genes).name == model["name"]
