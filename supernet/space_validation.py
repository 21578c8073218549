"""What makes a search space possible; every error names gene and value."""

from __future__ import annotations

import itertools
import math
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
    _require(_is_positive_number(space.head_ratio), "head_ratio", space.head_ratio, "a positive number")
    for number, stage in enumerate(space.stages, 1):
        _validate_stage(f"stage{number}", stage)
    if space.stages[0].growth and not space.stem_width:
        raise UserError("stage1.growth: there is no stage before it; give width")
    smallest, strides = min(space.resolution), math.prod(stage.stride for stage in space.stages)
    allowed = f"at least the product of all strides, {space.stem_stride * strides}"
    _require(smallest >= space.stem_stride * strides, "resolution", smallest, allowed)
    _validate_attention(space)
    _validate_constraints(space)


def _validate_stage(name: str, stage: StageSpace) -> None:
    if bool(stage.width) == bool(stage.growth):
        raise UserError(f"{name}: give either width or growth, and one choice at least")
    _check_choices(f"{name}.block", stage.block)
    for kind in stage.block:
        _require(kind in ("conv", "attention"), f"{name}.block", kind, "'conv' or 'attention'")
    fields = ["depth", "expansion", "kernel", "width" if stage.width else "growth"]
    if "attention" in stage.block:
        fields += [f for f in ATTENTION_FAMILIES if f != "embed" or stage.embed]
    for field in fields:
        choices = getattr(stage, field)
        _check_choices(f"{name}.{field}", choices)
        for value in choices:
            if field in POSITIVE_INTEGERS:
                _require(_is_positive_integer(value), f"{name}.{field}", value, "a positive integer")
            elif field == "kernel":
                good = _is_positive_integer(value) and value % 2 == 1
                _require(good, f"{name}.kernel", value, "an odd positive integer")
            else:
                _require(_is_positive_number(value), f"{name}.{field}", value, "a positive number")
    good = stage.max_width is None or _is_positive_integer(stage.max_width)
    _require(good, f"{name}.max_width", stage.max_width, "a positive integer")
    _require(stage.stride in (1, 2), f"{name}.stride", stage.stride, "1 or 2")


def _validate_attention(space: SearchSpace) -> None:
    """Every number of heads divides every embedding size that can meet it, and no FFN is empty."""
    widths: set[int] = {space.stem_width}
    for number, stage in enumerate(space.stages, 1):
        name = f"stage{number}"
        if stage.growth:
            grown = {int(w * g) for w, g in itertools.product(widths, stage.growth)}
            widths = {min(w, stage.max_width or w) for w in grown}
        else:
            widths = set(stage.width)
        _require(min(widths) >= 1, f"{name}.growth", min(stage.growth or (0,)), "larger")
        if "attention" not in stage.block:
            continue
        largest = max(stage.heads)
        embeds = set(stage.embed) or {2 ** (w.bit_length() - 1) for w in widths}
        for heads in stage.heads:
            _require(largest % heads == 0, f"{name}.heads", heads, f"a divisor of the largest, {largest}")
            for embed in sorted(embeds):
                allowed = f"a divisor of every embedding size, and {embed} is one"
                _require(embed % heads == 0, f"{name}.heads", heads, allowed)
        for ratio in stage.ffn_ratio:
            good = int(min(embeds) * ratio) >= 1
            _require(good, f"{name}.ffn_ratio", ratio, f"at least 1 / {min(embeds)}")


def _validate_constraints(space: SearchSpace) -> None:
    known = {"resolution"} | {
        f"stage{n}.{f}"
        for n in range(1, len(space.stages) + 1)
        for f in ("depth", "expansion", "kernel", "width", *ATTENTION_FAMILIES)
    }
    good = isinstance(space.constraints, tuple) and all(isinstance(c, str) for c in space.constraints)
    _require(good, "constraints", space.constraints, "a tuple of texts")
    for text in space.constraints:
        left, _, right = parse_constraint(text)
        number = right.replace(".", "", 1).isdigit()
        for side in (left, *(() if number else (right,))):
            _require(side in known, f"constraint {text!r}", side, f"one of {sorted(known)}")


def _check_choices(name: str, choices: Any) -> None:
    good = isinstance(choices, tuple) and len(choices) > 0
    _require(good, name, choices, "a tuple of one choice at least")
    for value in choices:
        _require(isinstance(value, int | float | str), name, value, "a number or a text")
    _require(len(set(choices)) == len(choices), name, choices, "without doubles")


def _is_positive_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_positive_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


def _require(good: bool, name: str, value: Any, allowed: str) -> None:
    if not good:
        raise UserError(f"{name}={value!r}: must be {allowed}")
