"""Where an estimate errs: the genes that it rates otherwise than training on its own does.

Letters: N networks, E estimates, G genes, K = 2 + E + G columns, R resamples.
"""

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from hytnas_jax.accuracy.agreement import RESAMPLES, Interval
from hytnas_jax.study_ranking.gene_values import GeneValues

FEWEST = 8  # networks that have a gene, below which nothing is said of it
FEWEST_OTHERS = 3  # of these, networks that have another value than the most frequent one
FALSE_ONES = 0.05  # the part of the genes called clear that may be so by chance
UNSEEN = 0.5  # a rho below this part of the reference's: the estimate does not see the gene

Columns = Mapping[str, NDArray[np.float64]]


@dataclasses.dataclass(frozen=True)
class Rated:
    """How an estimate goes with a gene: Spearman's rho of the two, and how much more that is than the
    reference's. by_chance: the part expected to be chance of all differences that are as clear as this one
    (Benjamini and Hochberg's adjusted p)."""

    rho: float
    difference: Interval
    by_chance: float

    @property
    def is_clear(self) -> bool:
        return self.by_chance <= FALSE_ONES


@dataclasses.dataclass(frozen=True)
class Rho:
    """Spearman's rho of a gene with the reference, and, by estimate, with the estimates; those that have
    none (a constant, say) are left out."""

    reference: float
    estimates: dict[str, Rated]


@dataclasses.dataclass(frozen=True)
class GeneBias:
    """One gene over the `networks` that have it: as it is, and with their log MACs partialled out (None where
    the gene ranks as the MACs do)."""

    title: str
    phrase: str
    networks: int
    raw: Rho
    beyond_macs: Rho | None

    @property
    def size(self) -> tuple[bool, float]:
        """Whether an estimate's interval leaves out 0, and the largest difference of one, either way."""
        differences = [rated.difference for rated in self.raw.estimates.values()]
        return (
            any(d.low > 0 or d.high < 0 for d in differences),
            max((abs(d.value) for d in differences), default=0.0),
        )


def biases(
    genes: Sequence[GeneValues],
    estimates: Columns,
    reference: NDArray[np.float64],
    macs: NDArray[np.float64],
) -> list[GeneBias]:
    """The genes that vary enough, by the size of the difference; those in which it may be none come last.

    Of estimates and reference [N] more is better. A gene counts over the networks that have it. An interval
    is of R resamples of these, and the p of a difference is that of a normal variable with their standard
    deviation. Estimates with a NaN are left out.
    """
    usable = {name: values for name, values in estimates.items() if not np.isnan(values).any()}
    found: list[GeneBias] = []
    for members in _unique(gene.exists for gene in genes):
        some = [gene for gene in genes if (gene.exists == members).all() and _varies(gene.values[members])]
        if some and len(np.unique(reference[members])) > 1:
            table = np.column_stack([reference, macs, *usable.values(), *(gene.values for gene in some)])
            found += _over(some, table[members], list(usable))
    raw = _adjusted([gene.raw for gene in found])
    beyond = iter(_adjusted([gene.beyond_macs for gene in found if gene.beyond_macs is not None]))
    found = [
        dataclasses.replace(gene, raw=rho, beyond_macs=gene.beyond_macs and next(beyond))
        for gene, rho in zip(found, raw, strict=True)
    ]
    return sorted(found, key=lambda gene: gene.size, reverse=True)


def sentences(found: Sequence[GeneBias], estimates: Iterable[str]) -> list[str]:
    """What is clear of each estimate: "E overrates attention in stage 4 and does not see the width of stage
    3". Nothing of an estimate of which nothing is clear."""
    return [text for name in estimates if (text := _sentence(found, name))]


def _sentence(found: Sequence[GeneBias], name: str) -> str:
    phrases: dict[str, list[str]] = {"overrates": [], "underrates": [], "does not see": []}
    for gene in found:
        rated = gene.raw.estimates.get(name)
        if rated is not None and rated.is_clear:
            phrases[_verb(gene.raw.reference, rated)].append(gene.phrase)
    parts = [f"{verb} {_listed(names)}" for verb, names in phrases.items() if names]
    return f"{name} {_listed(parts)}" if parts else ""


def _verb(reference: float, rated: Rated) -> str:
    if rated.difference.value > 0:
        return "overrates"
    return "does not see" if abs(rated.rho) < UNSEEN * reference else "underrates"


def _listed(words: Sequence[str]) -> str:
    return " and ".join([*([", ".join(words[:-1])] if len(words) > 1 else []), words[-1]])


def _unique(masks: Iterable[NDArray[np.bool_]]) -> list[NDArray[np.bool_]]:
    """The different ones."""
    return list({mask.tobytes(): mask for mask in masks}.values())


def _varies(values: NDArray[np.float64]) -> bool:
    if len(values) < FEWEST:
        return False
    return len(values) - int(np.unique(values, return_counts=True)[1].max()) >= FEWEST_OTHERS


def _over(genes: Sequence[GeneValues], table: NDArray[np.float64], names: Sequence[str]) -> list[GeneBias]:
    """The biases over the networks of `table` [N, K]: reference, MACs, estimates, genes."""
    draws = np.random.default_rng(0).integers(0, len(table), (RESAMPLES, len(table)))
    rhos = np.array([_rhos(table), *(_rhos(table[draw]) for draw in draws)])
    split = 2 + len(names)
    found = []
    for number, gene in enumerate(genes):
        of_gene = rhos[:, :, split + number]
        raw = _rho(of_gene, names)
        beyond = _rho(_beyond(of_gene, rhos[:, :, 1]), names)
        assert raw is not None  # the gene and the reference vary
        found.append(GeneBias(gene.title, gene.phrase, len(table), raw, beyond))
    return found


def _rhos(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Spearman's rho of every two columns, [K, K]; NaN of a constant one."""
    ranks = stats.rankdata(table, axis=0)
    ranks -= ranks.mean(axis=0)
    norms = np.sqrt((ranks**2).sum(axis=0))
    ranks /= np.where(norms > 0, norms, np.nan)
    return ranks.T @ ranks


def _beyond(with_gene: NDArray[np.float64], with_macs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Partial correlations given the MACs (column 1), of those [1 + R, K] with a gene and with MACs."""
    gene_macs = with_gene[:, [1]]
    scale = (1 - gene_macs**2) * (1 - with_macs**2)
    with np.errstate(invalid="ignore"):
        return (with_gene - gene_macs * with_macs) / np.sqrt(np.where(scale > 1e-12, scale, np.nan))


def _rho(with_gene: NDArray[np.float64], names: Sequence[str]) -> Rho | None:
    """Of the correlations [1 + R, K] with a gene: what they are first, and then of each resample."""
    reference, rated = with_gene[:, 0], {}
    if math.isnan(reference[0]):
        return None
    for number, name in enumerate(names, start=2):
        differences = np.round(with_gene[:, number] - reference, 9)  # none is none
        if not math.isnan(differences[0]):
            low, high = np.nanquantile(differences[1:], (0.025, 0.975))
            interval = Interval(float(differences[0]), float(low), float(high))
            rated[name] = Rated(float(with_gene[0, number]), interval, _p(differences))
    return Rho(float(reference[0]), rated)


def _p(differences: NDArray[np.float64]) -> float:
    """Two-sided, of the first of [1 + R], for a true difference of none."""
    spread = float(np.nanstd(differences[1:]))
    if spread < 1e-9:
        return 1.0 if abs(differences[0]) < 1e-9 else 0.0
    return float(2 * stats.norm.sf(abs(differences[0]) / spread))


def _adjusted(rhos: Sequence[Rho]) -> list[Rho]:
    """With Benjamini and Hochberg's p in place of each p, over all genes that an estimate is compared by."""
    rated = [dict(rho.estimates) for rho in rhos]
    for name in {name for genes in rated for name in genes}:
        having = [genes for genes in rated if name in genes]
        ps = stats.false_discovery_control([genes[name].by_chance for genes in having])
        for genes, p in zip(having, ps, strict=True):
            genes[name] = dataclasses.replace(genes[name], by_chance=float(p))
    return [Rho(rho.reference, genes) for rho, genes in zip(rhos, rated, strict=True)]
