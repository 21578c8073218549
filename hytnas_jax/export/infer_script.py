"""`infer.py` as the one file that lies beside an exported model."""

import ast
import importlib.util
from pathlib import Path

_MODULES = {
    "classification": "hytnas_jax.on_device.classify",
    "detection": "hytnas_jax.on_device.find_boxes",
    "segmentation": "hytnas_jax.on_device.find_mask",
}
_FIRST = "\nfrom hytnas_jax.on_device.stop import Stop\n"  # names the packages that all else imports


def infer_script(task: str = "classification") -> str:
    """The script of a task: a module's source, with those of ours that it needs in the place of its imports.

    So images are read in one way, there and in training.
    """
    source = _source(_MODULES[task])
    description = ast.parse(source).body[0].end_lineno
    lines = source.splitlines(keepends=True)
    lines.insert(description or 0, _FIRST)
    return _inlined("".join(lines), set())


def _inlined(source: str, known: set[str]) -> str:
    """A source without imports of this package; modules that are `known` are in the script already."""
    lines, written, done = source.splitlines(keepends=True), [], 0
    for node in ast.parse(source).body:
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("hytnas_jax."):
            written += lines[done : node.lineno - 1]
            done = node.end_lineno or node.lineno
            if str(node.module) not in known:
                known.add(str(node.module))
                written.append(_inlined(_source(str(node.module)), known))
    return "".join(written + lines[done:])


def _source(module: str) -> str:
    spec = importlib.util.find_spec(module)
    assert spec is not None
    return Path(str(spec.origin)).read_text(encoding="utf-8")
