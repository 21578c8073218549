"""Keeps libraries quiet that print bars, reports and warnings of their own."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator

from hytnas_jax.on_device.measure import quiet_errors


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Nothing is printed, logged or warned of inside, by C++ neither; errors still rise."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with (
            quiet_errors(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            warnings.catch_warnings(action="ignore"),
        ):
            yield
    finally:
        logging.disable(disabled)
