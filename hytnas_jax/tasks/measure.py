"""How people are told of an error: in per cent, or as the quality that it is missing from.

Inside, an error is 1 - quality, in 0..1, for every task.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from hytnas_jax.numbers import fraction, percent, span


@dataclasses.dataclass(frozen=True)
class Measure:
    """The words and numbers for errors.

    name: "error", "AP", "mIoU". is_error: errors are shown as they are, else as 1 - error. beside: a second
    quality, by its key in `Examined.details` and in words.
    """

    name: str
    is_error: bool = False
    beside: tuple[str, str] | None = None

    def value(self, error: float) -> float:
        """What a chart shows: of 0.18 the 0.18, or the 0.82."""
        return error if self.is_error else 1 - error

    @property
    def factor(self) -> float:
        """Of the numbers along a chart's axis."""
        return 100.0 if self.is_error else 1.0

    def label(self, words: str) -> str:
        """Of a chart's axis."""
        return f"{words}, %" if self.is_error else words

    def number(self, error: float) -> str:
        """ "18.0%", or "0.820"."""
        return percent(error) if self.is_error else fraction(1 - error)

    def between(self, low: float, high: float) -> str:
        """Of two errors "0.7 to 4.7%", or "0.953 to 0.993"."""
        if self.is_error:
            return f"{100 * low:.1f} to {100 * high:.1f}%"
        return f"{fraction(1 - high)} to {fraction(1 - low)}"

    def span(self, low: float, high: float) -> str:
        """`between`, and one number where both are the same."""
        return span(*(self.number(error) for error in ((low, high) if self.is_error else (high, low))))

    def spread(self, error: float, low: float, high: float) -> str:
        """ "1.8% (0.7 to 4.7)", or "0.982 (0.953 to 0.993)"."""
        return f"{self.number(error)} ({self.between(low, high).removesuffix('%')})"

    @property
    def is_better(self) -> str:
        """What is said of the better one of two networks."""
        return "makes fewer errors" if self.is_error else f"has a higher {self.name}"

    @property
    def is_clearly_better(self) -> str:
        """The same where chance is no explanation."""
        return "makes clearly fewer errors" if self.is_error else f"has a clearly higher {self.name}"

    def number_beside(self, details: Mapping[str, Any]) -> str:
        """The second quality out of `Examined.details`; a dash where there is none."""
        value = None if self.beside is None else details.get(self.beside[0])
        return fraction(float("nan") if value is None else value)


ERROR = Measure("error", is_error=True)
