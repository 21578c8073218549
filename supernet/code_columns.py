"""What integer codes stand for: the value of every field of a space, and which codes stand for the same.

The tables are made once for a space. A search asks for a hundred codes at a time, some hundred times a
suggestion. Letters: N codes, G genes, K choices.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from supernet.declaration import SpaceDeclaration
from supernet.errors import UserError
from supernet.stage_space import ATTENTION_FAMILIES, FAMILIES, HEAD_FAMILIES, Gene, StageSpace

Columns = dict[str, np.ndarray]


class CodeColumns:
    """The fields of codes of one space."""

    def __init__(self, declaration: SpaceDeclaration, genes: Sequence[Gene]) -> None:
        self._declaration, self._genes = declaration, genes
        self._choices = {gene.name: np.array(gene.choices) for gene in genes}
        self._cardinalities = np.array([len(gene.choices) for gene in genes], np.int64)
        self._places = {gene.name: place for place, gene in enumerate(genes)}
        self._fixed = {
            name: np.array(choices[:1] or (0,))
            for name, choices in _fields(declaration)
            if name not in self._places
        }

    def of(self, codes: np.ndarray) -> Columns:
        """What `SearchSpace.columns` gives for codes [N, G]."""
        return self._of(self.checked(codes))

    def canonical(self, codes: np.ndarray) -> np.ndarray:
        """What `SearchSpace.canonical` gives for codes [N, G]."""
        codes = self.checked(codes)
        columns, codes = self._of(codes), codes.copy()
        for place, gene in enumerate(self._genes):
            stage, _, field = gene.name.partition(".")
            if field == "growth":
                grown = _grown(columns[f"{stage}.in_width"], gene.choices, self._stage(stage).max_width)
                codes[:, place] = np.argmax(grown == columns[f"{stage}.width"][:, None], axis=1)
            elif field == "patch":
                patches = np.minimum(self._choices[gene.name], columns[f"{stage}.side"][:, None])
                codes[:, place] = np.argmax(patches == columns[f"{stage}.patch"][:, None], axis=1)
            elif field == "ffn_ratio":
                widths = np.floor(columns[f"{stage}.embed"][:, None] * self._choices[gene.name])
                taken = widths[np.arange(len(codes)), codes[:, place]]
                codes[:, place] = np.argmax(widths == taken[:, None], axis=1)
            elif field == "heads":
                codes[columns[f"{stage}.patch"] >= columns[f"{stage}.side"], place] = 0
            if field in ATTENTION_FAMILIES:
                codes[columns[f"{stage}.block"] == "conv", place] = 0
        return codes

    def checked(self, codes: np.ndarray) -> np.ndarray:
        """Codes as int64 [N, G]. Raises UserError for another shape or an index out of range."""
        codes = np.asarray(codes)
        if codes.ndim != 2 or codes.shape[1] != len(self._genes):
            raise UserError(f"genes of shape {codes.shape}: expected [N, {len(self._genes)}]")
        wrong = (codes < 0) | (codes >= self._cardinalities)
        if wrong.any():
            n, g = np.argwhere(wrong)[0]
            gene = self._genes[g]
            raise UserError(f"{gene.name}: index {codes[n, g]} not in 0..{len(gene.choices) - 1}")
        return codes.astype(np.int64)

    def _of(self, codes: np.ndarray) -> Columns:
        out = {name: choices[codes[:, self._places[name]]] for name, choices in self._choices.items()}
        out |= {name: np.repeat(value, len(codes)) for name, value in self._fixed.items()}
        side = -(-out["resolution"] // self._declaration.stem_stride)
        width = np.full(len(codes), self._declaration.stem_width)
        for number, stage in enumerate(self._declaration.stages, 1):
            column = {field: out[f"stage{number}.{field}"] for field in FAMILIES}
            column["in_width"], column["side"] = width, -(-side // stage.stride)
            _complete(column, stage)
            out |= {f"stage{number}.{field}": value for field, value in column.items()}
            side, width = column["side"], column["width"]
        return out

    def _stage(self, name: str) -> StageSpace:
        return self._declaration.stages[int(name.removeprefix("stage")) - 1]


def _fields(declaration: SpaceDeclaration) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Each field's name and choices, those of fields that no gene decides too."""
    yield "resolution", declaration.resolution
    for number, stage in enumerate(declaration.stages, 1):
        for field in FAMILIES:
            yield f"stage{number}.{field}", getattr(stage, field)
    if declaration.dense_head is not None:
        for field in HEAD_FAMILIES:
            yield f"head.{field}", getattr(declaration.dense_head, field)


def _complete(column: Columns, stage: StageSpace) -> None:
    """What follows from a stage's own fields, the width that comes in and the side of its map."""
    if stage.growth:
        column["width"] = _grown(column["in_width"], column["growth"][:, None], stage.max_width)[:, 0]
    if not stage.embed:
        column["embed"] = 2 ** np.floor(np.log2(column["width"])).astype(np.int64)
    column["patch"] = np.minimum(column["patch"], column["side"])
    # One token in a group: attention is the identity on v, whatever the heads.
    alone = column["patch"] >= column["side"]
    column["heads"] = np.where(alone, np.minimum(column["heads"], 1), column["heads"])
    is_convolution = column["block"] == "conv"
    for field in ATTENTION_FAMILIES:
        column[field] = np.where(is_convolution, 0, column[field])


def _grown(width: np.ndarray, factors: Any, cap: int | None) -> np.ndarray:
    """Channels [N, K] that factors [K] or [N, K] make of widths [N]."""
    grown = np.floor(width[:, None] * np.asarray(factors)).astype(np.int64)
    return grown if cap is None else np.minimum(grown, cap)
