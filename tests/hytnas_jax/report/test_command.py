"""The report of a whole work folder and of unfinished ones: well-formed, self-contained, complete."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser

import numpy as np
import pytest

from hytnas_jax.accuracy.estimates import ACCURACY, BLENDED, LOSS, MACS, PARAMETERS, POINTWISE, ZEN
from hytnas_jax.accuracy.references import References
from hytnas_jax.export import command
from hytnas_jax.export.config import Config as ExportConfig
from hytnas_jax.files.atomic import read_json, write_json
from hytnas_jax.latency.devices import device_step
from hytnas_jax.on_device.measure import Timing
from hytnas_jax.report import main
from hytnas_jax.report.config import Config
from hytnas_jax.report.results import _letter
from hytnas_jax.retrain.retrained import read_retrained
from hytnas_jax.study_ranking.results import RankingStudy
from hytnas_jax.study_ranking.written import write_results
from hytnas_jax.workspace.project import Project
from hytnas_jax.workspace.workdir import Workdir
from supernet.errors import UserError

MakeFolder = Callable[..., Project]
VOID = {"meta", "br", "img", "link", "hr", "input"}


class Reader(HTMLParser):
    """Collects the text; fails where tags are not closed in order, notes what is referred to."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.references: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.references += [f"{k}={v}" for k, v in attributes if k in ("src", "href", "xlink:href", "srcset")]
        if tag == "script":
            self.references.append("script")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.texts.append(data)


def read_report(project: Project) -> tuple[str, str]:
    """The report's source and its text; checks that it is whole and refers to nothing."""
    main(Config(project.workdir.path))
    source = (project.workdir.path / "report.html").read_text()
    reader = Reader()
    reader.feed(source)
    reader.close()
    assert reader.open == []
    assert reader.references == []
    assert not re.search(r"https?://|url\(|@import|//cdn", source)
    return source, " ".join(reader.texts)


def export_all(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    timings = enumerate(Timing(ms, 0.9 * ms, 1.1 * ms, 10) for ms in (0.125, 0.25, 0.5))
    monkeypatch.setattr(command, "time_models", lambda models, **options: timings)
    command.export(ExportConfig(project.workdir.path, formats=("onnx",)))


@pytest.mark.usefixtures("unchecked")
def test_everything(work_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    project = work_folder()
    export_all(project, monkeypatch)
    source, text = read_report(project)
    assert "3 networks of 2.5 to 4.5% test error, 0.125 to 0.500 ms an image on" in text
    assert source.count('<svg class="blocks"') == 3
    assert source.count('<svg class="chart"') == 8
    for step in ("data", "supernet", "latency", "search", "retrain", "export"):
        assert f"<td>{step}</td>" in source
    assert "Kendall's tau 1.00" in text
    assert "3 networks are few" in text
    assert "Spearman" in text
    assert "The search has measured 30 networks on the way: " in text
    assert "errs there by 8.3% in the mean; the search's own, fitted again 2 times, by 3.7%" in text
    assert "1 of 8 networks on the front is unlike those" in text
    assert "hypervolume" in text
    assert json.dumps(list(project.space.resolution)) in text
    assert "Training images mirrored left to right: off, since classes are called 0 to 9" in text
    assert re.search(r"<td[^>]*>mirror</td><td[^>]*>&quot;off&quot;</td>", source)
    assert "left out" not in text
    assert "Not made" not in text
    assert 'class="missing"' not in source
    assert "nan" not in text.split()


def test_what_the_commands_warned_of_is_told(work_folder: MakeFolder) -> None:
    project = work_folder("supernet")
    told = {"data": {"left_out": "cat: 20 .HEIC left out"}, "supernet": {"doubt": "hardly better"}}
    for step, values in told.items():
        path = project.workdir.path / step / "done.json"
        done = json.loads(path.read_text())
        path.write_text(json.dumps({**done, "summary": {**done["summary"], **values}}))
    _, text = read_report(project)
    assert "Files of the data set are left out: cat: 20 .HEIC left out." in text
    assert "Step supernet: hardly better." in text


def test_what_the_supernet_began_with_is_told(work_folder: MakeFolder) -> None:
    project = work_folder("supernet")
    origin = {"workdir": "runs/a", "supernet": "1f", "data": "tfds:x", "images": 9000, "commit": "c0ffee"}
    earlier = {**origin, "workdir": "runs/<b>", "data": "digits", "commit": None}
    assert "It began with" not in read_report(project)[1]
    write_json(project.workdir.path / "supernet" / "begun_with.json", [origin, earlier])
    expected = (
        "It began with the weights of another supernet, all but what names the classes: runs/a (tfds:x, "
        "9,000 training images, commit c0ffee); before that, runs/<b> (digits, 9,000 training images)."
    )
    assert expected in read_report(project)[1]


@pytest.mark.usefixtures("unchecked")
def test_a_file_that_loses_accuracy_is_told(work_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    project = work_folder()
    export_all(project, monkeypatch)
    path = next(project.workdir.path.glob("export/*/card.json"))
    card = json.loads(path.read_text())
    lost = {
        "quality": 0.8,
        "quality_in_jax": 0.95,
        "costly_blocks": [{"block": "blocks/3", "quality": 0.9}],
    }
    card["files"]["model.int8.onnx"] = card["files"]["model.onnx"] | lost
    write_json(path, card)
    source, text = read_report(project)
    assert "model.int8.onnx is 15.0 points less accurate" in text
    assert "blocks/3 (10.0% error)" in text
    assert "<td>model.onnx</td>" in source


def test_devices_are_shown(work_folder: MakeFolder) -> None:
    project = work_folder()
    step = device_step(project.workdir, "toaster")
    step.begin({}, {})
    error = {"spearman": 0.987, "mape": 0.034, "num_networks": 100}
    front = {"networks": ["n"], "predicted_ms": [2.0], "measured_ms": [2.5], "error": {**error, "mape": 0.2}}
    device = {"runtime": "onnxruntime 1.32.0", "threads": "2", "processor": "T-1000"}
    step.finish({"device": device, "error": error, "front": front})
    path = project.workdir.path / "search" / "settings.json"
    inputs = {"devices/toaster": step.done()["id"]}
    write_json(path, read_json(path) | {"inputs": inputs})
    source, text = read_report(project)
    assert "T-1000" in text
    assert "3.4%" in text
    assert "n on toaster: measured 2.5 ms" in source
    assert "another toaster" not in text
    assert "changed since" not in text


def test_a_published_network_beside_them(work_folder: MakeFolder) -> None:
    project = work_folder()
    folder = project.workdir.path / "retrain"
    before = read_retrained(project.workdir.step("retrain"))[0]
    record = json.loads((before.folder / "architecture.json").read_text())
    published = {"network": record["network"], "role": "published", "search": {}, "expected": None}
    write_json(folder / "mobilenet" / "architecture.json", published)
    write_json(folder / "mobilenet" / "result.json", before.result | {"validation_error_expected": None})
    _, text = read_report(project)
    assert "mobilenet" in text
    assert "4 networks" in text
    assert "nan" not in text.split()


@pytest.mark.parametrize(
    ("last", "says", "misses"),
    [
        ("data", "nothing has been trained yet", ("train_supernet", "measure_latency", "search", "retrain")),
        ("supernet", "nothing has been searched yet", ("measure_latency", "search", "retrain")),
        ("search", "none has been retrained yet", ("retrain",)),
        ("retrain", "not exported and measured yet", ()),
    ],
)
def test_what_is_missing_is_said(
    work_folder: MakeFolder, last: str, says: str, misses: tuple[str, ...]
) -> None:
    project = work_folder(last)
    source, text = read_report(project)
    assert says in text
    commands = re.findall(r'class="missing">.*?<code>python -m hytnas_jax\.(\w+) --workdir', source)
    assert sorted(commands) == sorted(misses)


def test_the_study_of_the_ranking_is_shown(work_folder: MakeFolder) -> None:
    project = work_folder()
    assert "hytnas_jax.study_ranking --workdir" in read_report(project)[1]
    networks = project.space.decode_all(project.space.sample(np.random.default_rng(0), 12))
    references = np.linspace(0.5, 0.94, 12)
    backwards = np.geomspace(1e5, 1e7, 12)[::-1]
    shuffled = references[[3, 0, 7, 1, 2, 11, 4, 5, 10, 9, 6, 8]]
    estimates = {ACCURACY: shuffled, BLENDED: shuffled, MACS: backwards}
    trainings = references[:, None] + 0.005 * np.array([[1, -1], [-1, 1]] * 6)
    study = RankingStudy.of(
        References(networks, trainings, 20, references, 1 - trainings),
        {**dict.fromkeys((LOSS, ZEN, PARAMETERS, POINTWISE), np.ones(12)), **estimates},
        project.space,
        "AP",
    )
    supernet = project.workdir.step("supernet").done()["id"]
    write_results(project.workdir.path / "ranking", study, command="", supernet=supernet)
    source, text = read_report(project)
    assert "12 networks, AP 0.500 to 0.940" in text
    assert "1x1 convolutions is not to be trusted" in text
    assert '<td>MACs</td><td class="n">-1.00 [-1.00, -1.00]</td>' in source
    assert "perfect knowledge, at most" in text
    assert "trained anew since" not in text
    assert "the order of these references is stable (" in text
    assert study.where()[0] in text
    assert source.count(f"<td>{study.biases[0].title}</td>") == 2
    path = project.workdir.path / "ranking" / "ranking.json"
    before = read_json(path)
    write_json(path, {name: value for name, value in before.items() if name != "bias"})
    assert "<td>MACs</td>" in read_report(project)[0]  # an earlier version's study
    write_results(project.workdir.path / "ranking", study, command="", supernet="an earlier one")
    assert "trained anew since" in read_report(project)[1]


def test_another_upstream_is_warned_of(work_folder: MakeFolder) -> None:
    project = work_folder()
    path = project.workdir.path / "retrain" / "settings.json"
    write_json(path, {"settings": {}, "inputs": {"search": "an earlier one"}})
    assert "Step 'retrain' was made from 'search', which has changed since" in read_report(project)[1]


def test_copies_in_two_splits_are_warned_of(work_folder: MakeFolder) -> None:
    project = work_folder()
    path = project.workdir.path / "data" / "done.json"
    done, remark = read_json(path), "4 of 359 test images are copies of train images"
    assert remark not in read_report(project)[1]
    done["summary"]["remarks"] = [f"{remark} (...)"]
    write_json(path, done)
    assert remark in read_report(project)[1]


def test_a_search_without_errors_or_latency(work_folder: MakeFolder) -> None:
    project = work_folder()
    for path in project.workdir.path.glob("retrain/*/*.json"):
        data = json.loads(path.read_text())
        if path.name == "result.json":
            data["validation_error_expected"] = None
        if path.name == "architecture.json":
            data |= {"search": {"zen_score": 10.0, "macs": 1e6}, "expected": None}
        write_json(path, data)
    text = read_report(project)[1]
    assert "The search did not estimate errors." in text
    assert "Expected and became" not in text
    assert "front as expected" not in text
    assert "parameters" in text


def test_expected_and_became_are_on_one_scale(work_folder: MakeFolder) -> None:
    """Of the first nothing was expected; the other two have bars, in both directions. Legends count too."""
    source, text = read_report(work_folder())
    figure = next(part for part in source.split("<figure") if "error expected, %" in part)
    assert figure.count('class="dots c1"') == 2 + 1
    assert figure.count('class="bar c1"') == 4
    assert 'class="diagonal"' in figure
    assert "B: expected 3.0% (2.0 to 5.0), became 3.5%" in text
    front = next(part for part in source.split("<figure") if "error, %" in part)
    assert front.count('class="rings c3"') == 2 + 1
    assert [front.count(f'class="line c{colour}"') for colour in (1, 3)] == [1 + 1, 1 + 1]
    assert "No further network is begun." in text
    assert "In the search the error is estimated before anything is trained on its own" in text


def test_names_are_escaped(work_folder: MakeFolder) -> None:
    project = work_folder()
    path = next(project.workdir.path.glob("retrain/*/architecture.json"))
    data = json.loads(path.read_text())
    write_json(path, {**data, "role": "<script>alert(1)</script>"})
    assert "<script>alert(1)</script>" in read_report(project)[1]


def test_a_damaged_file_is_named(work_folder: MakeFolder) -> None:
    project = work_folder("search")
    path = project.workdir.path / "search" / "evaluations.csv"
    path.write_text("index,error\n0,0.5\n")
    with pytest.raises(UserError, match=r"evaluations\.csv"):
        main(Config(project.workdir.path))


def test_an_empty_folder_is_refused(tmp_path: object) -> None:
    with pytest.raises(UserError, match="train_supernet"):
        main(Config(Workdir(tmp_path / "empty").path))  # type: ignore[operator]


def test_letters() -> None:
    assert [_letter(i) for i in (0, 25, 26, 52)] == ["A", "Z", "A2", "A3"]
