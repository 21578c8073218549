"""What a process says at its end is heard while an image is decoded, which silences standard error."""

import subprocess
import sys

PROGRAM = """
import os
from hytnas_jax.data.decode import quiet
from hytnas_jax.runtime import last_words
last_words.keep()
with quiet():
    os.write(2, b"of a library\\n")
    last_words.say("ended")
    os._exit(3)
"""


def test_last_words_are_heard_where_libraries_are_not() -> None:
    result = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stderr) == (3, "ended\n")


def test_a_closed_stream_is_no_error() -> None:
    result = subprocess.run(
        ["sh", "-c", f"exec '{sys.executable}' -c '{PROGRAM}' 2>&-"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (result.returncode, result.stderr) == (3, "")
