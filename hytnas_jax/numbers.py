"""Numbers as a person reads them; NaN, for what there is not, is a dash."""

import math
import re

from hytnas_jax.console import duration

__all__ = ["DASH", "count", "counted", "duration", "fraction", "milliseconds", "percent", "size", "span"]

DASH = "–"


def percent(fraction: float) -> str:
    """0.0123 as "1.2%"."""
    return DASH if math.isnan(fraction) else f"{100 * fraction:.1f}%"


def fraction(value: float) -> str:
    """0.0123 as "0.012"."""
    return DASH if math.isnan(value) else f"{value:.3f}"


def milliseconds(value: float) -> str:
    """0.0512 as "0.0512 ms": three digits."""
    return DASH if math.isnan(value) else f"{value:#.3g} ms"


def count(value: float) -> str:
    """12345 as "12.3 k", 4200000 as "4.2 M"."""
    return DASH if math.isnan(value) else _scaled(value, 1000, ("", " k", " M", " G"))


def counted(number: float, noun: str, several: str | None = None, *, form: str = "") -> str:
    """A number before its noun: "1 epoch", "3 epochs".

    several: what stands after every number but 1, where that is not the noun with an s; of a verb, too, as
    in "1 network is", "3 networks are". form: the number's format, "," for "1,079".
    """
    return f"{number:{form}} {noun if number == 1 else several or noun + 's'}"


def size(value: float) -> str:
    """2048 bytes as "2 KiB"."""
    return DASH if math.isnan(value) else _scaled(value, 1024, (" B", " KiB", " MiB", " GiB"))


def span(low: str, high: str) -> str:
    """Two formatted values of one unit, "0.9 to 3.0%"; one where they are equal."""
    if low == high:
        return low
    number, unit = re.fullmatch(r"(.*?)(%| \S+|)", low).groups()  # type: ignore[union-attr]
    return f"{number if unit and high.endswith(unit) else low} to {high}"


def _scaled(value: float, base: int, units: tuple[str, ...]) -> str:
    power = 0
    while round(value, 1) >= base and power < len(units) - 1:
        value /= base
        power += 1
    return f"{value:.3g}{units[power]}" if value < 100 else f"{value:.0f}{units[power]}"
