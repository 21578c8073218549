"""The built-in search spaces, and a user's own from a Python or YAML text.

`hytnas` and `hytnas-initial` follow HyT-NAS (arXiv 2303.04440); `hybrid` and `hybrid-small` are ours.
"""

import dataclasses
import difflib
from collections.abc import Mapping
from typing import Any

from supernet.errors import UserError
from supernet.search_space import SearchSpace
from supernet.stage_space import DenseHeadSpace, StageSpace


def _hytnas() -> SearchSpace:
    """The reduced space of HyT-NAS: 23 genes, 3.97e11 codes, after MobileViT, for 224x224 images."""

    def attention(max_width: int) -> StageSpace:
        return StageSpace(
            block=("attention",),
            depth=(1, 2, 3, 4),
            expansion=(1, 2, 4),
            growth=(1, 1.5, 2),
            max_width=max_width,
            heads=(1, 2, 4),
            ffn_ratio=(1, 1.5, 2),
            patch=(2, 4, 8),
        )

    stages = (
        StageSpace(stride=1, expansion=(1, 2, 4), width=(8, 16, 24, 32)),
        StageSpace(depth=(1, 2, 3, 4), expansion=(1, 2, 4), growth=(1, 1.5, 2)),
        attention(96),
        attention(128),
        attention(256),
    )
    return SearchSpace("hytnas", stages)


def _hytnas_initial() -> SearchSpace:
    """The accuracy-focused space that HyT-NAS started from (about 10^27 networks): every stage free."""

    def stage(smallest: int, step: int) -> StageSpace:
        return StageSpace(
            block=("conv", "attention"),
            depth=(1, 2, 3, 4, 5, 6, 7, 8),
            expansion=(1, 2, 3, 4, 5, 6),
            kernel=(3, 5, 7),
            width=tuple(range(smallest, smallest + 12 * step, step)),
            embed=tuple(range(2 * smallest, 2 * smallest + 12 * step, step)),
            heads=(1, 2, 4, 8),
            ffn_ratio=(1, 1.5, 2, 2.5, 3, 4),
            patch=(2, 4, 8),
        )

    first = StageSpace(
        stride=1,
        depth=(1, 2, 3, 4),
        expansion=(1, 2, 3, 4, 5, 6),
        kernel=(3, 5, 7),
        width=(8, 16, 24, 32, 40, 48),
    )
    stages = (first, stage(16, 8), stage(32, 8), stage(48, 16), stage(64, 16))
    return SearchSpace("hytnas-initial", stages, tuple(range(128, 257, 16)), head_ratio=4, head_min=128)


def _hybrid() -> SearchSpace:
    """Convolution or attention in every stage from the second on; the default for real images."""

    def stage(width: tuple[int, ...], embed: tuple[int, ...]) -> StageSpace:
        return StageSpace(
            block=("conv", "attention"),
            depth=(1, 2, 3),
            expansion=(1, 2, 4),
            kernel=(3, 5),
            width=width,
            embed=embed,
            heads=(1, 2, 4),
            ffn_ratio=(1, 1.5, 2),
            patch=(2, 4, 8),
        )

    stages = (
        StageSpace(stride=1, depth=(1, 2), expansion=(1, 2, 4), kernel=(3, 5), width=(8, 12, 16)),
        StageSpace(depth=(1, 2, 3), expansion=(1, 2, 4), kernel=(3, 5), width=(12, 16, 24)),
        stage((16, 24, 32, 48), (16, 32, 48, 64)),
        stage((24, 32, 48, 64), (32, 48, 64, 96)),
        stage((32, 48, 64, 96), (32, 64, 96, 128)),
    )
    return SearchSpace("hybrid", stages, (48, 64, 96, 128, 160, 192, 224), head_ratio=2, head_min=64)


def _hybrid_small() -> SearchSpace:
    """The sibling of `hybrid` for images of 32x32 and less: a stem of stride 1, three stages."""

    def stage(width: tuple[int, ...], embed: tuple[int, ...], patch: tuple[int, ...]) -> StageSpace:
        return StageSpace(
            block=("conv", "attention"),
            depth=(1, 2),
            expansion=(1, 2, 4),
            kernel=(3, 5),
            width=width,
            embed=embed,
            heads=(1, 2, 4),
            ffn_ratio=(1, 1.5, 2),
            patch=patch,
        )

    stages = (
        StageSpace(stride=1, depth=(1, 2), expansion=(1, 2), kernel=(3, 5), width=(4, 8, 12)),
        stage((8, 12, 16, 24), (8, 16, 24, 32), (2, 4)),
        stage((12, 16, 24, 32), (16, 24, 32, 48), (2, 4)),
    )
    return SearchSpace("hybrid-small", stages, (8, 12, 16, 24, 32), stem_width=8, stem_stride=1, head_ratio=2)


_BUILT_IN = {
    "hytnas": _hytnas,
    "hytnas-initial": _hytnas_initial,
    "hybrid": _hybrid,
    "hybrid-small": _hybrid_small,
}
SPACE_NAMES = tuple(_BUILT_IN)


def built_in_space(name: str) -> SearchSpace:
    """The built-in space called `name`. Raises UserError with the names there are.

    Examples:
      >>> from supernet import built_in_space
      >>> built_in_space("hytnas").num_codes
      396718580736
    """
    if name not in _BUILT_IN:
        near = difflib.get_close_matches(name, SPACE_NAMES, 1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise UserError(f"space={name!r}: must be one of {list(SPACE_NAMES)} or a file{hint}")
    return _BUILT_IN[name]()


def space_from_mapping(data: Mapping[str, Any]) -> SearchSpace:
    """A space from plain values, as YAML or JSON gives them: the fields of `SearchSpace`, lists for tuples.

    Raises:
      UserError: an unknown or missing field, or an impossible space.

    Examples:
      >>> from supernet import space_from_mapping
      >>> space = space_from_mapping({"name": "mine", "stages": [{"width": [4, 8]}], "resolution": [16]})
      >>> space.genes
      (Gene(name='stage1.width', choices=(4, 8)),)
    """
    if not isinstance(data, Mapping):
        raise UserError(f"space: expected a mapping of fields, got {type(data).__name__}")
    if not isinstance(data.get("stages"), list):
        raise UserError("space.stages: expected a list with a mapping for each stage")
    stages = []
    for number, stage in enumerate(data["stages"], 1):
        if not isinstance(stage, Mapping):
            raise UserError(f"stage{number}: expected a mapping of fields, got {stage!r}")
        stages.append(StageSpace(**_fields(StageSpace, stage, f"stage{number}")))
    fields = {**_fields(SearchSpace, data, "space"), "stages": tuple(stages)}
    head = fields.get("dense_head")
    if isinstance(head, Mapping):
        fields["dense_head"] = DenseHeadSpace(**_fields(DenseHeadSpace, head, "dense_head"))
    return SearchSpace(**fields)


def space_to_mapping(space: SearchSpace) -> dict[str, Any]:
    """The plain values of a space; `space_from_mapping` gives back an equal one.

    Examples:
      >>> from supernet import built_in_space, space_from_mapping, space_to_mapping
      >>> space = built_in_space("hybrid")
      >>> space_from_mapping(space_to_mapping(space)) == space
      True
    """
    mapping = _lists(dataclasses.asdict(space))
    if space.dense_head is None:
        del mapping["dense_head"]
    return mapping


def _fields(cls: type, data: Mapping[str, Any], where: str) -> dict[str, Any]:
    fields = {f.name: f for f in dataclasses.fields(cls)}
    for name in data:
        if name not in fields:
            raise UserError(f"{where}.{name}: no such field; there are {sorted(fields)}")
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING
        if required and name not in data:
            raise UserError(f"{where}.{name}: missing")
    return {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}


def _lists(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _lists(v) for k, v in value.items()}
    return [_lists(v) for v in value] if isinstance(value, tuple | list) else value
