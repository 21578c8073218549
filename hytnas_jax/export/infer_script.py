"""`infer.py` as the one file that lies beside an exported model."""

import re
from pathlib import Path

from hytnas_jax.data import decode
from hytnas_jax.on_device import infer

_IMPORT = re.compile(r"^from hytnas_jax\.data\.decode import .*$", re.MULTILINE)


def infer_script() -> str:
    """Its source, with that of `data/decode.py` in the place of its import: one way of reading images."""
    own, reading = (Path(str(module.__file__)).read_text(encoding="utf-8") for module in (infer, decode))
    script, count = _IMPORT.subn(lambda match: reading, own)
    assert count == 1, "infer.py imports decode in one line"
    return script
