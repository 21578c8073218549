"""What makes a search space possible; every error names gene and value."""

import math
import re
import reprlib
from collections.abc import Callable
from typing import Any

from supernet.constraints import check_constraints
from supernet.declaration import SpaceDeclaration
from supernet.errors import UserError
from supernet.space_memory import MOST_CHANNELS, check_memory, reachable_widths
from supernet.stage_space import (
    ATTENTION_FAMILIES,
    HEAD_FAMILIES,
    DenseHeadSpace,
    StageSpace,
    parse_constraint,
)

POSITIVE_INTEGERS = ("depth", "expansion", "width", "embed", "heads", "patch")
# The most that any network is given; what many of them together take is `space_memory`'s.
MOST_STAGES, MOST_CHOICES = 32, 256
MOST_PIXELS, MOST_GROWTHS = 4096, 32
MOST = {
    **{"resolution": MOST_PIXELS, "patch": MOST_PIXELS, "stem_stride": 64},
    **dict.fromkeys(("stem_width", "head_min", "width", "max_width", "embed"), MOST_CHANNELS),
    **{"depth": 100, "kernel": 99, "heads": 1024},
    **dict.fromkeys(("expansion", "growth", "ffn_ratio", "head_ratio"), 64),
}


def validate(space: SpaceDeclaration) -> None:
    """Raises UserError for the first impossible value of a space."""
    good = isinstance(space.name, str) and space.name.isprintable() and 0 < len(space.name.strip()) <= 100
    _require(good, "name", space.name, "a text of one line, of 1 to 100 letters, digits and the like")
    if not space.stages:
        raise UserError(f"space {space.name!r}: stages is empty; give at least one StageSpace")
    good = isinstance(space.stages, tuple) and all(isinstance(stage, StageSpace) for stage in space.stages)
    _require(good, "stages", space.stages, "a tuple of StageSpace")
    _require(len(space.stages) <= MOST_STAGES, "stages", len(space.stages), f"{MOST_STAGES} at most")
    _check_choices("resolution", space.resolution)
    for value in space.resolution:
        _check_number("resolution", value, "a positive number of pixels")
    for name in ("stem_width", "stem_stride", "head_min"):
        _check_number(name, getattr(space, name), "a positive integer")
    _check_number("head_ratio", space.head_ratio, "a positive number")
    for number, stage in enumerate(space.stages, 1):
        _validate_stage(f"stage{number}", stage)
    if space.stages[0].growth and not space.stem_width:
        raise UserError("stage1.growth: there is no stage before it; give width")
    smallest, strides = min(space.resolution), math.prod(stage.stride for stage in space.stages)
    allowed = f"at least the product of all strides, {space.stem_stride * strides}"
    _require(smallest >= space.stem_stride * strides, "resolution", smallest, allowed)
    _validate_dense_head(space)
    _validate_widths(space)
    _validate_attention(space)
    _validate_constraints(space)
    check_memory(space)


def _validate_stage(name: str, stage: StageSpace) -> None:
    if bool(stage.width) == bool(stage.growth):
        raise UserError(f"{name}: give either width or growth, and one choice at least")
    _require(len(stage.growth) <= MOST_GROWTHS, f"{name}.growth", stage.growth, f"{MOST_GROWTHS} at most")
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
                _check_number(f"{name}.{field}", value, "a positive integer")
            elif field == "kernel":
                _check_number(f"{name}.kernel", value, "an odd positive integer")
            else:
                _check_number(f"{name}.{field}", value, "a positive number")
    if stage.max_width is not None:
        _check_number(f"{name}.max_width", stage.max_width, "a positive integer")
        _require(bool(stage.growth), f"{name}.max_width", stage.max_width, "left out: only growth is capped")
    good = stage.stride in (1, 2) and not isinstance(stage.stride, bool)
    _require(good, f"{name}.stride", stage.stride, "1 or 2")


def _validate_dense_head(space: SpaceDeclaration) -> None:
    head = space.dense_head
    if head is None:
        return
    _require(isinstance(head, DenseHeadSpace), "dense_head", head, "a DenseHeadSpace")
    for field in HEAD_FAMILIES:
        choices = getattr(head, field)
        _check_choices(f"dense_head.{field}", choices)
        for value in choices:
            _check_number(f"dense_head.{field}", value, "a positive integer")
    _check_number("dense_head.kernel", head.kernel, "an odd positive integer")
    boxes = head.box_channels in (0, 4) and not isinstance(head.box_channels, bool)
    _require(boxes, "dense_head.box_channels", head.box_channels, "4 (a box for each cell) or 0")
    found = sorted(set(space.strides))
    _require(head.stride in found, "dense_head.stride", head.stride, f"a stride of a stage's map, of {found}")


def _validate_widths(space: SpaceDeclaration) -> None:
    """Growth ends in one channel at least, and in no more than there may be."""
    for number, (stage, widths) in enumerate(zip(space.stages, reachable_widths(space), strict=True), 1):
        if stage.growth:
            name, most = f"stage{number}.growth", max(stage.growth)
            _require(min(widths) >= 1, name, min(stage.growth), "larger")
            allowed = f"smaller, or capped by max_width: more than {MOST_CHANNELS} channels come out"
            _require(max(widths) <= MOST_CHANNELS, name, most, allowed)


def _validate_attention(space: SpaceDeclaration) -> None:
    """Every number of heads divides every embedding size that can meet it, and no FFN is empty."""
    for number, (stage, widths) in enumerate(zip(space.stages, reachable_widths(space), strict=True), 1):
        name = f"stage{number}"
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


def _validate_constraints(space: SpaceDeclaration) -> None:
    known = {"resolution"} | {
        f"stage{n}.{f}"
        for n in range(1, len(space.stages) + 1)
        for f in ("depth", "expansion", "kernel", "width", *ATTENTION_FAMILIES)
    }
    known |= {f"head.{f}" for f in HEAD_FAMILIES if space.dense_head is not None}
    good = isinstance(space.constraints, tuple) and all(isinstance(c, str) for c in space.constraints)
    _require(good, "constraints", space.constraints, "a tuple of texts")
    for text in space.constraints:
        left, _, right = parse_constraint(text)
        number = re.fullmatch(r"[0-9]+(\.[0-9]+)?", right)
        for side in (left, *(() if number else (right,))):
            _require(side in known, f"constraint {text!r}", side, f"one of {sorted(known)}")
    check_constraints(space)


def _check_choices(name: str, choices: Any) -> None:
    good = isinstance(choices, tuple) and len(choices) > 0
    _require(good, name, choices, "a tuple of one choice at least")
    _require(len(choices) <= MOST_CHOICES, name, choices, f"{MOST_CHOICES} choices at most")
    for value in choices:
        _require(isinstance(value, int | float | str), name, value, "a number or a text")
    _require(len(set(choices)) == len(choices), name, choices, "without doubles")


def _check_number(name: str, value: Any, allowed: str) -> None:
    """Raises UserError unless the value is what is `allowed`, one of `_KINDS`, and no more than `MOST`."""
    _require(_KINDS[allowed](value), name, value, allowed)
    most = MOST[name.rpartition(".")[2]]
    _require(value <= most, name, value, f"{allowed} of at most {most}: no machine holds more")


def _is_positive_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_positive_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


def _is_odd(value: Any) -> bool:
    return _is_positive_integer(value) and value % 2 == 1


_KINDS: dict[str, Callable[[Any], bool]] = {
    "a positive number": _is_positive_number,
    "a positive integer": _is_positive_integer,
    "a positive number of pixels": _is_positive_integer,
    "an odd positive integer": _is_odd,
}


def _require(good: bool, name: str, value: Any, allowed: str) -> None:
    if not good:
        raise UserError(f"{name}={_SHORT.repr(value)}: must be {allowed}")


_SHORT = reprlib.Repr()
_SHORT.maxother = _SHORT.maxstring = 80
