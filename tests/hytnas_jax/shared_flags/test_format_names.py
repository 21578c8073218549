"""What the flags refuse where a package is missing, in the words of the flag that was given."""

import importlib.util

import pytest

from hytnas_jax.shared_flags.format_names import check_runtimes
from supernet.errors import UserError


def test_a_runtime_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    check_runtimes("--runtimes", ())
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    check_runtimes("--runtimes", ("onnxruntime",))
    with pytest.raises(UserError, match=r"^--runtimes onnxruntime tflite: TFLite needs .*pip install"):
        check_runtimes("--runtimes", ("onnxruntime", "tflite"))
