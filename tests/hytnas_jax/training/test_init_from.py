"""A supernet that begins with another work folder's: which, and that only what fits is taken."""

import dataclasses
import functools
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from made_up_tasks import save_boxes
from PIL import Image
from quick_environment import quick_environment
from small_space import SMALL_SPACE

from hytnas_jax import main_job, train_supernet
from hytnas_jax.files.atomic import read_json, write_json
from hytnas_jax.runtime.command_line import run
from hytnas_jax.train_supernet import command
from hytnas_jax.training.init_from import Origin, find_initial_supernet, read_origins
from hytnas_jax.training.loop import restore
from hytnas_jax.training.supernet import load_supernet
from hytnas_jax.workspace.project import Project, open_project
from hytnas_jax.workspace.workdir import Workdir, reading
from supernet import training
from supernet.supernet import supernet


def call(module: str, *flags: object) -> str:
    """What a command says that ends well."""
    command = [sys.executable, "-m", module, *map(str, flags)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=500, env=quick_environment())
    assert result.returncode == 0, result.stderr
    return result.stdout


def content(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Time of writing and bytes of every file, and of every folder its time."""
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in (folder, *folder.rglob("*"))
    }


@dataclasses.dataclass(frozen=True)
class Begun:
    """Grey digits, and images in colour that went on from them, by a command that has `said` so."""

    digits: Path
    colours: Path
    flags: tuple[str, ...]
    said: str


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Begun:
    folder = tmp_path_factory.mktemp("begun")
    (folder / "space.yaml").write_text(SMALL_SPACE)
    rng = np.random.default_rng(0)
    for label in ("dark", "light"):
        (folder / "images" / label).mkdir(parents=True)
        for number in range(20):
            pixels = rng.integers(0, 128, (10, 10, 3), np.uint8) + np.uint8(127 * (label == "light"))
            Image.fromarray(pixels).save(folder / "images" / label / f"{number}.png")
    digits, colours = folder / "digits", folder / "colours"
    short = ("--max-images", "64", "--epochs", "1", "--batch-size", "8")
    call("hytnas_jax.train_supernet", "--workdir", digits, "--space", folder / "space.yaml", *short)
    before = content(digits)
    flags = ("--workdir", colours, "--data", folder / "images", "--init-from", digits, *short)
    said = call("hytnas_jax.train_supernet", *flags, "--resolutions", 10)
    assert content(digits) == before  # it is only read
    return Begun(digits, colours, (*map(str, flags), "--resolutions", "10"), said)


@pytest.fixture
def copied(begun: Begun, tmp_path: Path) -> Begun:
    """Copies, which no other test of this process has locked."""
    for path in (begun.digits, begun.colours):
        shutil.copytree(path, tmp_path / path.name)
    flags = tuple(flag.replace(str(begun.digits.parent), str(tmp_path)) for flag in begun.flags)
    shutil.copytree(begun.digits.parent / "images", tmp_path / "images")
    return dataclasses.replace(begun, digits=tmp_path / "digits", colours=tmp_path / "colours", flags=flags)


def params_at(project: Project, step: int) -> Any:
    """The parameters of a checkpoint of a work folder's supernet."""
    model = supernet(project.space, channels=project.channels, num_classes=project.num_classes)
    shapes = jax.eval_shape(
        functools.partial(training.init, training.Recipe(num_steps=1)), model.abstract_params
    )
    state = restore(project.workdir.path / "supernet", shapes, step=step)
    np.testing.assert_array_equal(state.params, state.ema)
    return model, training.weights(model, state.params)


def test_before_the_first_step_all_but_the_classifier_is_inherited(copied: Begun) -> None:
    project = open_project(Workdir(copied.colours))
    assert (project.channels, project.num_classes, project.space.resolution) == (3, 2, (10,))
    with reading(copied.digits, flag="--init-from") as other:
        theirs = load_supernet(open_project(other))[1]
    model, ours = params_at(project, 0)
    kernel = theirs["stem"]["conv"].pop("kernel")
    np.testing.assert_allclose(
        ours["stem"]["conv"].pop("kernel"), np.repeat(kernel / 3, 3, axis=2), rtol=1e-6
    )
    drawn = model.init(jax.random.key(0))[0]["head"].pop("classifier")
    jax.tree.map(np.testing.assert_array_equal, ours["head"].pop("classifier"), drawn)
    assert theirs["head"].pop("classifier")["bias"].shape == (10,)
    jax.tree.map(np.testing.assert_array_equal, ours, theirs)


def test_where_the_weights_come_from_is_noted(begun: Begun, copied: Begun) -> None:
    assert f"begins with the supernet of {begun.digits} (digits, 64 training images" in begun.said
    assert "and a new classifier\n" in begun.said
    step = Workdir(copied.colours).step("supernet")
    done = read_json(copied.digits / "supernet" / "done.json")
    origin = Origin(str(begun.digits), done["id"], "digits", 64, done["environment"]["commit"])
    assert read_origins(step) == (origin,)
    assert step.done()["summary"]["begun_with"] == [dataclasses.asdict(origin)]
    assert read_json(step.folder / "settings.json")["settings"]["init_from"] == f"supernet {done['id']}"


def test_a_third_one_knows_both(copied: Begun, tmp_path: Path) -> None:
    initial = find_initial_supernet(copied.colours, Workdir(tmp_path / "third"))
    assert initial is not None
    assert [origin.data for origin in initial.origins] == ["images", "digits"]
    assert initial.origins[0].workdir == str(copied.colours)


def test_a_detector_that_begins_with_a_classifier_has_a_new_head(
    copied: Begun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(_step: Any, state: training.TrainState, **_settings: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "train_loop", stop)
    data, workdir = str(save_boxes(tmp_path / "boxes")), tmp_path / "boxes_found"
    config = train_supernet.Config(workdir, data=data, init_from=copied.digits, resolutions=(32,))
    with pytest.raises(KeyboardInterrupt):
        train_supernet.main(config)
    said = capsys.readouterr().out
    assert f"begins with the supernet of {copied.digits} (digits, 64 training images" in said
    assert "and a new head\n" in said


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run_here(capsys: pytest.CaptureFixture[str]) -> Run:
    """train_supernet in this process: exit status, stdout, stderr."""

    def run_here(*flags: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            run(train_supernet.main, train_supernet.Config, [str(flag) for flag in flags])
        assert isinstance(caught.value.code, int)
        return caught.value.code, *capsys.readouterr()

    return run_here


def assert_refused(result: tuple[int, str, str], message: str) -> None:
    assert result[0] == 2, result
    assert re.match(f"error: {message}", result[2], re.DOTALL), result[2]
    assert "Traceback" not in result[2]


def test_the_same_command_goes_on_wherever_the_source_lies(copied: Begun, run_here: Run) -> None:
    for _ in range(2):  # in another folder, and then gone
        code, said, warned = run_here(*copied.flags)
        assert (code, warned) == (0, "")
        assert "is trained already" in said
        shutil.rmtree(copied.digits, ignore_errors=True)


def test_a_training_that_was_cut_needs_its_source_no_more(copied: Begun, run_here: Run) -> None:
    run_here(*copied.flags)  # notes where the source lies
    shutil.rmtree(copied.digits)
    (copied.colours / "supernet" / "done.json").unlink()
    jax.config.update("jax_disable_most_optimizations", True)
    code, said, _ = run_here(*copied.flags)
    jax.config.update("jax_disable_most_optimizations", False)
    assert code == 0
    assert "begins with" not in said
    (origin,) = read_json(copied.colours / "supernet" / "done.json")["summary"]["begun_with"]
    assert origin["data"] == "digits"


def test_another_source_is_refused(copied: Begun, run_here: Run) -> None:
    at, without = copied.flags.index("--init-from"), list(copied.flags)
    del without[at : at + 2]
    assert_refused(run_here(*without), "step 'supernet' in .* was begun with --init-from .*: give it again")
    done = copied.digits / "supernet" / "done.json"
    write_json(done, {**read_json(done), "id": "another"})
    message = rf"--init-from {copied.digits}: its supernet is not the one that step 'supernet' in "
    assert_refused(
        run_here(*copied.flags), message + r".* was begun with.*\(digits, 64 training.*give that, or"
    )


def test_a_supernet_from_random_weights_stays_one(copied: Begun, run_here: Run) -> None:
    settings = read_json(copied.digits / "supernet" / "settings.json")["settings"]
    flags = ("--workdir", copied.digits, "--max-images", 64, "--epochs", settings["epochs"])
    result = run_here(*flags, "--batch-size", 8, "--init-from", copied.colours, "--resolutions", 8)
    assert_refused(result, "step 'supernet' in .* other settings:\n  init_from: was not set, now 'supernet ")


def test_what_cannot_be_begun_with_is_refused(copied: Begun, tmp_path: Path, run_here: Run) -> None:
    def refused(source: Path, message: str, *flags: object) -> None:
        result = run_here("--workdir", tmp_path / "new", "--data", "digits", "--init-from", source, *flags)
        assert_refused(result, f"--init-from {source}: {message}")
        assert not (tmp_path / "new" / "data").exists()

    refused(
        tmp_path / "none", "there is no such folder; give a work folder in which train_supernet has ended"
    )
    refused(tmp_path / "images", "this is no work folder; give a work folder in which")
    refused(tmp_path / "new", "this is --workdir itself; name the work folder of another supernet")
    (tmp_path / "link").symlink_to(tmp_path / "new")
    refused(tmp_path / "link", "this is --workdir itself")
    space = (
        "its supernet is one over another search space than 'small':\n  stage1.width: .4, 8. there, .4. here"
    )
    (tmp_path / "other.yaml").write_text(SMALL_SPACE.replace("[4, 8]", "[4]"))
    refused(copied.digits, space + "\nleave --space out", "--space", tmp_path / "other.yaml")
    done = copied.digits / "supernet" / "done.json"
    done.unlink()
    refused(copied.digits, "step 'supernet' is needed first and was started and has not ended .* run: python")
    shutil.rmtree(done.parent)
    refused(copied.digits, "step 'supernet' is needed first and has not been made")
    write_json(copied.digits / "workdir.json", {"format": 99, "hytnas_jax": "9.0"})
    refused(copied.digits, "hytnas_jax 9.0 wrote it in format 99.* give another --init-from")


def test_a_damaged_source_is_named(copied: Begun, tmp_path: Path, run_here: Run) -> None:
    files = (copied.digits / "supernet" / "checkpoints" / "8").rglob("*")
    max(files, key=lambda path: path.stat().st_size if path.is_file() else 0).write_bytes(b"damaged")
    flags = ("--workdir", tmp_path / "new", "--data", "digits", "--init-from", copied.digits)
    assert_refused(run_here(*flags), f"--init-from {copied.digits}: .*checkpoints.8: its file .* is damaged")


HOLD = """
import sys
from pathlib import Path
from hytnas_jax.workspace.workdir import Workdir
Workdir(Path(sys.argv[1]))
print("locked", flush=True)
sys.stdin.read()
"""


def hold(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLD, str(folder)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_where_another_process_works_nobody_reads(copied: Begun, tmp_path: Path, run_here: Run) -> None:
    holder = hold(copied.digits)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "locked\n"
    flags = ("--workdir", tmp_path / "new", "--data", "digits", "--init-from", copied.digits)
    assert_refused(run_here(*flags), f"--init-from .*: another process is using it .process {holder.pid} on")
    holder.communicate("")
    find_initial_supernet(copied.digits, Workdir(tmp_path / "new"))


def test_while_it_is_read_others_read_and_nobody_works(copied: Begun) -> None:
    lock = (copied.digits / ".lock").read_text()
    with reading(copied.digits, flag="--init-from"), reading(copied.digits, flag="--init-from"):
        holder = hold(copied.digits)
        assert "another process is using it" in holder.communicate("")[1]
    assert (copied.digits / ".lock").read_text() == lock
    assert hold(copied.digits).communicate("")[0] == "locked\n"


def test_reading_leaves_a_lock_of_our_own_alone(copied: Begun) -> None:
    Workdir(copied.digits)
    with reading(copied.digits, flag="--init-from"):
        pass
    assert "another process is using it" in hold(copied.digits).communicate("")[1]


def test_a_copy_without_a_lock_is_read(copied: Begun) -> None:
    (copied.digits / ".lock").unlink()
    before = content(copied.digits)
    with reading(copied.digits, flag="--init-from") as other:
        assert open_project(other).source == "digits"
    assert content(copied.digits) == before


def test_the_main_job_hands_it_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Enough(Exception):
        pass

    def stop(config: train_supernet.Config) -> None:
        assert config.init_from == tmp_path / "other"
        raise Enough

    monkeypatch.setattr(train_supernet, "main", stop)
    with pytest.raises(Enough):
        main_job.main(main_job.Config(tmp_path / "new", init_from=tmp_path / "other"))
