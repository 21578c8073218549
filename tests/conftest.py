"""What all tests share."""

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def compiled_programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Commands keep their compiled programs for one another, but not in the user's folder."""
    os.environ["HYTNAS_JAX_CACHE"] = str(tmp_path_factory.mktemp("compiled"))
    yield
    del os.environ["HYTNAS_JAX_CACHE"]
