"""What a supernet takes over from one that was trained on other images: all weights but the classifier's.

Of a head of another kind, for another task, it takes nothing.

Letters: K side of a kernel, C channels of the images, W of the stem.
"""

import jax
import jax.numpy as jnp

from supernet.errors import UserError
from supernet.model import Tree
from supernet.search_space import SearchSpace
from supernet.spaces import space_to_mapping

GREY, COLOUR = 1, 3
# What a space may differ in and still have the same genes and the same arrays.
_MAY_DIFFER = ("name", "resolution", "constraints")


def inherited(theirs: Tree, ours: Tree) -> Tree:
    """The parameters `theirs` with the classifier of `ours`, for our images; with the whole head of `ours`
    where theirs is of another kind.

    Where their images are grey and ours are in colour, or the other way round, the stem's kernel
    [K, K, C, W] is turned (`turned`).

    Raises:
      UserError: their arrays have other shapes, or their images a number of channels that cannot be turned.
    """
    stem = {"conv": {"kernel": turned(_kernel(theirs), _kernel(ours).shape[2])}}
    theirs = {**theirs, "stem": {**theirs["stem"], "conv": {**theirs["stem"]["conv"], **stem["conv"]}}}
    head = {**theirs["head"], "classifier": ours["head"]["classifier"]}
    theirs = {**theirs, "head": head if is_head_inherited(theirs, ours) else ours["head"]}
    there, here = _shapes(theirs), _shapes(ours)
    if there != here:
        name = next(n for n in sorted(there | here) if there.get(n) != here.get(n))
        raise UserError(f"{name}: shape {there.get(name)} there, {here.get(name)} here")
    return jax.tree.map(jnp.asarray, theirs)


def is_head_inherited(theirs: Tree, ours: Tree) -> bool:
    """Whether the two heads are of one kind, so that all of it but the classifier is taken over."""
    return theirs["head"].keys() == ours["head"].keys()


def _shapes(tree: Tree) -> dict[str, tuple[int, ...]]:
    """Of each array, by its path."""
    return {jax.tree_util.keystr(path): leaf.shape for path, leaf in jax.tree.leaves_with_path(tree)}


def turned(kernel: jax.Array, channels: int) -> jax.Array:
    """A stem's kernel [K, K, C, W] for images of `channels`: the same maps for a grey image in colour.

    From colour to grey the inputs' kernels are added up; from grey to colour each input gets a third.

    Raises:
      UserError: other numbers of channels than grey's and colour's, and not the same.
    """
    before = kernel.shape[2]
    if before == channels:
        return kernel
    if {before, channels} != {GREY, COLOUR}:
        raise UserError(
            f"images of {before} channels there, of {channels} here; they must be as many, or grey "
            f"({GREY}) and colour ({COLOUR})"
        )
    return jnp.repeat(jnp.sum(kernel, axis=2, keepdims=True) / channels, channels, axis=2)


def differences(theirs: SearchSpace, ours: SearchSpace) -> list[str]:
    """One line for each field by which the genes or the arrays of two spaces differ; resolutions may, and one
    may have a dense head where the other has none."""
    is_head_of_same_kind = (theirs.dense_head is None) == (ours.dense_head is None)
    there, here = (_fields(space, with_head=is_head_of_same_kind) for space in (theirs, ours))
    return [
        f"{name}: {there.get(name, 'none')} there, {here.get(name, 'none')} here"
        for name in dict.fromkeys((*there, *here))
        if there.get(name) != here.get(name)
    ]


def _fields(space: SearchSpace, *, with_head: bool) -> dict[str, object]:
    """Field -> value, those of the stages as "stage1.width"."""
    fields = space_to_mapping(space)
    stages, head = fields.pop("stages"), fields.pop("dense_head", {})
    fields = {name: value for name, value in fields.items() if name not in _MAY_DIFFER}
    fields |= {f"dense_head.{name}": value for name, value in head.items() if with_head}
    for number, stage in enumerate(stages, 1):
        fields |= {f"stage{number}.{name}": value for name, value in stage.items()}
    return fields


def _kernel(params: Tree) -> jax.Array:
    return params["stem"]["conv"]["kernel"]
