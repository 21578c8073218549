"""What makes a search space possible; every error names gene and value."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from supernet.errors import UserError
from supernet.stage_space import ATTENTION_FAMILIES, StageSpace, parse_constraint

if TYPE_CHECKING:
    from supernet.search_space import SearchSpace

POSITIVE_INTEGERS = ("depth", "expansion", "width", "embed", "heads", "patch")


def validate(space: SearchSpace) -> None:
    """Raises UserError for the first impossible value of a space."""
    if not space.stages:
        raise UserError(f"space {space.name!r}: stages is empty; give at least one StageSpace")
    _check_choices("resolution", space.resolution)
    for value in space.resolution:
        _require(_is_positive_integer(value), "resolution", value, "a positive number of pixels")
    for name in ("stem_width", "stem_stride", "head_min"):
        value = getattr(space, name)
        _require(_is_positive_integer(value), name, value, "a positive integer")
    for number, stage in enumerate(space.stages, 1):
        _validate_stage(f"stage{number}", stage)
    if space.stages[0].growth and not space.stem_width:
        raise UserError("stage1.growth: there is no stage before it; give width")
    smallest = min(space.resolution) // space.stem_stride
    for stage in space.stages:
        smallest //= stage.stride
    _require(smallest >= 1, "resolution", min(space.resolution), "at least the product of all strides")
    _validate_heads(space)
    _validate_constraints(space)


def _validate_stage(name: str, stage: StageSpace) -> None:
    fields = ["block", "depth", "expansion", "kernel"]
    if bool(stage.width) == bool(stage.growth):
        raise UserError(f"{name}: give either width or growth, and one choice at least")
    fields.append("width" if stage.width else "growth")
    for kind in stage.block:
        _require(kind in ("conv", "attention"), f"{name}.block", kind, "'conv' or 'attention'")
    if "attention" in stage.block:
        fields += [f for f in ATTENTION_FAMILIES if f != "embed" or stage.embed]
    for field in fields:
        choices = getattr(stage, field)
        _check_choices(f"{name}.{field}", choices)
        for value in choices:
            if field in POSITIVE_INTEGERS:
                _require(_is_positive_integer(value), f"{name}.{field}", value, "a positive integer")
    for value in stage.kernel:
        good = _is_positive_integer(value) and value % 2 == 1
        _require(good, f"{name}.kernel", value, "an odd positive integer")
    for field in ("growth", "ffn_ratio"):
        for value in getattr(stage, field):
            _require(value > 0, f"{name}.{field}", value, "a positive number")
    _require(stage.stride in (1, 2), f"{name}.stride", stage.stride, "1 or 2")
    for value in stage.heads:
        good = max(stage.heads) % value == 0
        _require(good, f"{name}.heads", value, f"a divisor of the largest, {max(stage.heads)}")


def _validate_heads(space: SearchSpace) -> None:
    """Every number of heads divides every embedding size that can meet it."""
    widths: set[int] = {space.stem_width}
    for number, stage in enumerate(space.stages, 1):
        if stage.growth:
            grown = {int(w * g) for w, g in itertools.product(widths, stage.growth)}
            widths = {min(w, stage.max_width or w) for w in grown}
        else:
            widths = set(stage.width)
        _require(min(widths) >= 1, f"stage{number}.growth", min(stage.growth or (0,)), "larger")
        if "attention" in stage.block:
            embeds = set(stage.embed) or {2 ** (w.bit_length() - 1) for w in widths}
            for heads, embed in itertools.product(stage.heads, sorted(embeds)):
                allowed = f"a divisor of every embedding size, and {embed} is one"
                _require(embed % heads == 0, f"stage{number}.heads", heads, allowed)


def _validate_constraints(space: SearchSpace) -> None:
    known = {"resolution"} | {
        f"stage{n}.{f}"
        for n in range(1, len(space.stages) + 1)
        for f in ("depth", "expansion", "kernel", "width", *ATTENTION_FAMILIES)
    }
    for text in space.constraints:
        left, _, right = parse_constraint(text)
        number = right.replace(".", "", 1).isdigit()
        for side in (left, *(() if number else (right,))):
            _require(side in known, f"constraint {text!r}", side, f"one of {sorted(known)}")


def _check_choices(name: str, choices: Any) -> None:
    good = isinstance(choices, tuple) and len(choices) > 0
    _require(good, name, choices, "a tuple of one choice at least")
    _require(len(set(choices)) == len(choices), name, choices, "without doubles")


def _is_positive_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _require(good: bool, name: str, value: Any, allowed: str) -> None:
    if not good:
        raise UserError(f"{name}={value!r}: must be {allowed}")
