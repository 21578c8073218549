"""The table of the bias: a row for each gene, the reference and each estimate beside it."""

from collections.abc import Mapping, Sequence
from typing import Any

from hytnas_jax.accuracy.agreement import Interval
from hytnas_jax.study_ranking.bias import GeneBias, Rated, Rho

DASH = "-"
ABOUT = """Spearman's rho of each gene with the accuracy after training (the reference) and with the
estimates; behind it, how much more that is than the reference's, and [the middle 95% of resampled networks].
Differences that may be none come last. An asterisk marks those that are clear: at most one in twenty of them
is expected to be chance. A gene of attention blocks counts over the networks that have one in that stage. The
noise of an estimate takes a little of every rho."""


def headers(found: Sequence[GeneBias]) -> tuple[str, ...]:
    """The titles of the columns, the estimates last."""
    return ("gene", "networks", "reference", *_estimates(found))


def bias_rows(found: Sequence[GeneBias], *, beyond_macs: bool = False) -> list[tuple[str, ...]]:
    """A row for each gene, under `headers`; with `beyond_macs` the partial correlations given the MACs."""
    names = _estimates(found)
    rows = []
    for gene in found:
        rho = gene.beyond_macs if beyond_macs else gene.raw
        reference = DASH if rho is None else f"{rho.reference:.2f}"
        rows.append((gene.title, str(gene.networks), reference, *(_cell(rho, name) for name in names)))
    return rows


def from_json(genes: Sequence[Mapping[str, Any]]) -> list[GeneBias]:
    """The biases that `ranking.json` holds."""

    def rho(found: Mapping[str, Any]) -> Rho:
        estimates = {
            name: Rated(**{**rated, "difference": Interval(**rated["difference"])})
            for name, rated in found["estimates"].items()
        }
        return Rho(found["reference"], estimates)

    return [
        GeneBias(
            **{
                **gene,
                "raw": rho(gene["raw"]),
                "beyond_macs": gene["beyond_macs"] and rho(gene["beyond_macs"]),
            }
        )
        for gene in genes
    ]


def _estimates(found: Sequence[GeneBias]) -> list[str]:
    """Those that go with a gene at all, in their order."""
    return list(dict.fromkeys(name for gene in found for name in gene.raw.estimates))


def _cell(rho: Rho | None, name: str) -> str:
    if rho is None or name not in rho.estimates:
        return DASH
    rated = rho.estimates[name]
    change = rated.difference
    text = f"{rated.rho:.2f}, {change.value:+.2f} [{change.low:+.2f}, {change.high:+.2f}]"
    return text + " *" * rated.is_clear
