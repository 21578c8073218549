"""The environment of the commands that tests start."""

import os


def quick_environment() -> dict[str, str]:
    """That of now, in which XLA compiles quickly: it takes longer than anything runs here.

    To be called where a command starts: the folder of its compiled programs is set once tests begin, after
    their files are imported, and without it that is the user's.
    """
    return {**os.environ, "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
