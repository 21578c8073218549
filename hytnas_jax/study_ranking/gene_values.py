"""What the genes of networks are, as numbers beside an estimate's, and in plain words.

Letters: N networks.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from supernet.architecture import Architecture
from supernet.search_space import SearchSpace
from supernet.stage_space import ATTENTION_FAMILIES, Gene

WORDS = {
    "block": "attention",
    "embed": "embedding",
    "heads": "attention heads",
    "ffn_ratio": "FFN ratio",
    "patch": "patch size",
}


@dataclasses.dataclass(frozen=True, eq=False)
class GeneValues:
    """One gene of N networks.

    title: "stage 3: width". phrase: "the width of stage 3". values: float64 [N]; of a block 1 for attention
    and 0 for convolution, of a growth the width that comes out. exists: bool [N], where it decides anything:
    the genes of attention blocks do so in networks that have one in that stage.
    """

    title: str
    phrase: str
    values: NDArray[np.float64]
    exists: NDArray[np.bool_]


def gene_values(space: SearchSpace, networks: Sequence[Architecture]) -> list[GeneValues]:
    """Every gene of the space, in the order of `space.genes`."""
    columns = space.columns(np.array([network.genes for network in networks]))
    return [_values(gene, columns) for gene in space.genes]


def _values(gene: Gene, columns: dict[str, NDArray]) -> GeneValues:
    stage, _, _ = gene.name.partition(".")
    everywhere = np.ones(len(columns["resolution"]), bool)
    if gene.name == "resolution":
        return GeneValues("resolution", "the resolution", columns["resolution"].astype(float), everywhere)
    number, word = stage.removeprefix("stage"), WORDS.get(gene.family, gene.family)
    if stage == "head":
        return GeneValues(
            f"head: {word}", f"the {word} of the head", columns[gene.name].astype(float), everywhere
        )
    is_attention = columns[f"{stage}.block"] == "attention"
    title = f"stage {number}: {word}"
    if gene.family == "block":
        return GeneValues(title, f"attention in stage {number}", is_attention.astype(float), everywhere)
    values = columns[f"{stage}.{gene.family}"].astype(float)
    exists = is_attention if gene.family in ATTENTION_FAMILIES else everywhere
    return GeneValues(title, f"the {word} of stage {number}", values, exists)
