"""Exporting retrained networks: files that are checked against JAX, timed, each with its card and script."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hytnas_jax import console
from hytnas_jax.data import LabelledImages
from hytnas_jax.data.decode import ImageRule
from hytnas_jax.export.config import Config
from hytnas_jax.export.decoding import decoding_ms
from hytnas_jax.export.infer_script import infer_script
from hytnas_jax.export.model_card import model_card
from hytnas_jax.files.atomic import read_json, write_bytes, write_json, write_text
from hytnas_jax.model_files.lost_accuracy import ACCEPTED_LOSS, costly_blocks, describe_loss
from hytnas_jax.model_files.microcontroller import verdict
from hytnas_jax.model_files.parity import Check, compare, jax_outputs, refuse_mismatch
from hytnas_jax.model_files.registry import FORMATS, Format
from hytnas_jax.on_device.measure import Timing, time_models
from hytnas_jax.retrain.retrained import Retrained, read_retrained
from hytnas_jax.runtime.environment import environment
from hytnas_jax.shared_flags.settings import settings_of
from hytnas_jax.training.weights import load_weights
from hytnas_jax.workspace.project import Project, open_project
from hytnas_jax.workspace.workdir import Step, Workdir, command_line

STEP = "export"
DECODING = "decoding_ms"  # noted with the check of the ONNX file, as the images are at hand then


def export(config: Config) -> None:
    """Exports what is not exported yet, and says how good and how quick each file is."""
    project = open_project(Workdir(config.workdir))
    retrain = project.workdir.step("retrain")
    made_by = retrain.require("retrain")["id"]
    step = project.workdir.step(STEP)
    step.begin(settings_of(config), {"retrain": made_by})
    networks = read_retrained(retrain)
    if step.is_done:
        console.say(f"step {STEP!r} is done; delete {step.folder} to export anew")
    else:
        write_files(project, step, networks, config)
        _warn_if_other_processor(project)
        write_cards(project, step, networks, config.formats)
        step.finish({"networks": [network.name for network in networks]})
    _print_table(project, step, networks)
    console.wrote(
        [step.folder / network.name for network in networks],
        command_line("report", config.workdir),
    )


def write_files(project: Project, step: Step, networks: Sequence[Retrained], config: Config) -> None:
    """Each network's file of each format that is missing, and then what its check has found.

    Raises:
        UserError: the images have changed, or a network's weights are missing, damaged or not finite.
        ExportMismatch: a file does not compute what its network does; it is not written.
    """
    missing = {
        network.name: [name for name in config.formats if not _check_file(step, network, name).exists()]
        for network in networks
    }
    left, total = sum(map(len, missing.values())), len(networks) * len(config.formats)
    if not left:
        return
    dataset = project.dataset()
    evaluated = _spread(dataset.validation, config.images)
    calibration = _spread(dataset.train, config.calibration)
    with console.progress(total, "exporting", done=total - left) as bar:
        for network in networks:
            if not missing[network.name]:
                continue
            writer = _Writer(project, step, network, evaluated, calibration)
            for name in missing[network.name]:
                bar.note(f"{network.name}: {name}")
                writer.write(name, bar.note)
                bar.advance()


class _Writer:
    """Writes the files of one network; what they share is computed once."""

    def __init__(
        self,
        project: Project,
        step: Step,
        network: Retrained,
        evaluated: LabelledImages,
        calibration: LabelledImages,
    ) -> None:
        side = network.spec.resolution
        self._step, self._network = step, network
        self._weights = load_weights(network.weights)
        self._images, self._targets = project.prepared(evaluated, side), evaluated.targets
        self._task = project.task
        self._calibration = project.prepared(calibration, side)
        self._side = evaluated.images.shape[1]
        self._expected = jax_outputs(network.spec, *self._weights, self._images)

    def write(self, name: str, note: Callable[[str], None]) -> None:
        """The file of a format, and its check; `note` shows what takes long."""
        target, what = FORMATS[name], f"network {self._network.name} as {name}"
        model = target.build(self._network.spec, *self._weights)
        quantise = None
        if target.quantise is not None:
            quantise = functools.partial(target.quantise, model, self._calibration)
            model = quantise()
        check = self._check(target, model)
        refuse_mismatch(check, what=what, is_integer=quantise is not None)
        found = {"format": target.title, "bytes": len(model), **dataclasses.asdict(check)}
        if target.peak_bytes is not None:
            peak = target.peak_bytes(model)
            found |= {"peak_activation_bytes": peak, "microcontroller": verdict(peak, len(model))}
        if quantise is not None and check.loss > ACCEPTED_LOSS:
            note(f"{what} loses {self._task.file_quality_name}; looking for the block that costs it")
            found["costly_blocks"] = self._explain(target, quantise, check, what)
        if name == "onnx" and self._task.decode is not None:
            found[DECODING] = decoding_ms(self._task.decode, self._expected, self._side)
        write_bytes(self._step.folder / self._network.name / target.file, model)
        write_json(_check_file(self._step, self._network, name), found)

    def _explain(
        self, target: Format, quantise: Callable[..., bytes], check: Check, what: str
    ) -> list[dict[str, Any]]:
        """Looks for the blocks that cost an integer file its accuracy, and says so."""
        blocks = costly_blocks(
            self._network.spec, lambda block: self._check(target, quantise(in_float=block))
        )
        console.warn(f"{what} {describe_loss(check, blocks, self._task.file_quality_name)}")
        return blocks

    def _check(self, target: Format, model: bytes) -> Check:
        return compare(self._expected, target.run(model, self._images), self._task, self._targets)


def write_cards(project: Project, step: Step, networks: Sequence[Retrained], formats: Sequence[str]) -> None:
    """Measures all files in turns, and writes `infer.py` and then `card.json` of each network."""
    timed = [(network, name) for network in networks for name in formats if FORMATS[name].is_timed]
    paths = [step.folder / network.name / FORMATS[name].file for network, name in timed]
    timings: dict[tuple[str, str], Timing] = {}
    with console.progress(len(paths), "measuring latency", is_even=False) as bar:
        models = (path.read_bytes() for path in paths)
        for index, timing in time_models(models, on_round=lambda number: bar.note(f"round {number}")):
            network, name = timed[index]
            timings[network.name, name] = timing
            bar.advance()
    rule = ImageRule(**read_json(project.workdir.path / "data" / "splits.json")["image"])
    for network in networks:
        folder = step.folder / network.name
        files = {}
        for name in formats:
            found = timings.get((network.name, name))
            latency = None if found is None else dataclasses.asdict(found)
            files[FORMATS[name].file] = read_json(_check_file(step, network, name)) | {"latency": latency}
        card = model_card(network, project, rule=rule, files=files, timing=timings[network.name, "onnx"])
        onnx = card["files"][FORMATS["onnx"].file]
        if DECODING in onnx:
            card["latency"][DECODING] = onnx.pop(DECODING)
        write_text(folder / "infer.py", infer_script(project.task.name))
        write_json(folder / "card.json", card)


def _check_file(step: Step, network: Retrained, name: str) -> Path:
    """What the check of a network's file has found; written after the file."""
    return step.folder / network.name / f"{FORMATS[name].file}.check.json"


def _spread(images: LabelledImages, count: int) -> LabelledImages:
    """`count` images from all over, or all where there are no more."""
    rows = np.linspace(0, len(images) - 1, min(count, len(images))).astype(int)
    return images.take(rows)


def _warn_if_other_processor(project: Project) -> None:
    latency = project.workdir.step("latency")
    if not latency.is_done:
        return
    before, now = latency.done()["environment"]["cpu"], environment()["cpu"]
    if before != now:
        console.warn(
            f"the latency predictor was fitted on {before}, this is {now}: predicted and measured latencies "
            "are of different machines"
        )


def _print_table(project: Project, step: Step, networks: Sequence[Retrained]) -> None:
    """A row for each file; the qualities are on the validation split's images that checked it.

    Below it, whether the int8 TFLite files fit a microcontroller.
    """
    rows, fits = [], []
    for network in networks:
        card = read_json(step.folder / network.name / "card.json")
        for file, found in card["files"].items():
            ms = None if found["latency"] is None else found["latency"]["latency_ms"]
            qualities = found["quality"], found["quality_in_jax"]
            peak = found.get("peak_activation_bytes")
            rows.append((network.name, file, *qualities, found["same_class"], ms, found["bytes"], peak))
            if file == FORMATS["tflite-int8"].file:
                fits.append(f"{network.name}: {file} {found['microcontroller']}")
    quality = project.task.file_quality_name
    header = ("network", "file", quality, "in JAX", "same class", "ms", "bytes", "peak bytes")
    console.table(rows, header)
    for line in fits:
        console.say(line)
