"""What all tests share."""

import os
import signal
from collections.abc import Iterator

import pytest


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
