"""What all tests share."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from quick_environment import quick_environment

TESTS = Path(__file__).parent
# By XLA's older kernels, which run longer, programs compile in two thirds of the time; here most run once.
# It is for the commands that tests start, too. The example below compiles as a user's commands do.
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_use_fusion_emitters=false".strip()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    from by_file import ByFile  # pytest-xdist is there where this is called

    config.option.loadscopereorder = False
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files beside this one first: they run whole commands, and of two processes none is to end alone."""
    items.sort(key=lambda item: item.path.parent != TESTS)


@pytest.fixture(scope="session", autouse=True)
def compiled_programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Commands keep their compiled programs for one another, but not in the user's folder."""
    os.environ["HYTNAS_JAX_CACHE"] = str(tmp_path_factory.mktemp("compiled"))
    yield
    del os.environ["HYTNAS_JAX_CACHE"]


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """A command that a test runs in this process takes the signals; afterwards a Ctrl-C ends the tests."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def environment_variables() -> Iterator[None]:
    """A command that a test runs in this process sets some; the next test has those of the first."""
    with mock.patch.dict(os.environ):
        yield


@pytest.fixture(scope="session")
def example_folder(tmp_path_factory: pytest.TempPathFactory, compiled_programs: None) -> Path:
    """A folder with the work folder `runs/mine`, in which examples/own_images.py has made every step."""
    folder = tmp_path_factory.mktemp("example")
    run_example(folder)
    return folder


def run_example(folder: Path) -> None:
    """examples/own_images.py, with the work folder `runs/mine`; `dumps` is what XLA makes of its programs."""
    script = Path(__file__).parents[1] / "examples" / "own_images.py"
    environment = {
        **quick_environment(),
        "XLA_FLAGS": f"--xla_dump_to={folder / 'dumps'} --xla_dump_hlo_as_text",
    }
    subprocess.run(
        [sys.executable, str(script), "--workdir", str(folder / "runs" / "mine")],
        env=environment,
        check=True,
        timeout=500,
    )
