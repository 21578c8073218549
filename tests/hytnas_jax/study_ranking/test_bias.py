"""Which genes an estimate rates otherwise than the reference, worked out by hand or made up."""

import numpy as np
import pytest
from scipy import stats

from hytnas_jax.accuracy.agreement import Interval
from hytnas_jax.study_ranking.bias import GeneBias, Rated, Rho, biases, sentences
from hytnas_jax.study_ranking.bias_table import bias_rows, headers
from hytnas_jax.study_ranking.gene_values import GeneValues, gene_values
from supernet.spaces import built_in_space

EVERYWHERE = np.ones(8, bool)


def gene(values: list[float], exists: np.ndarray = EVERYWHERE, title: str = "stage 1: width") -> GeneValues:
    return GeneValues(title, "the width of stage 1", np.array(values, float), exists)


def test_rho_and_difference_by_hand() -> None:
    reference = np.array([1.0, 2, 3, 4, 5, 6, 7, 8])
    estimate = np.array([2.0, 1, 3, 4, 5, 6, 8, 7])
    width = [1.0, 2, 4, 3, 5, 6, 7, 8]
    macs = np.array([1.0, 3, 2, 4, 5, 6, 7, 8])
    (found,) = biases([gene(width)], {"some": estimate}, reference, macs)

    def rho(*swapped: int) -> float:  # 1 - 6 sum(d^2) / (n (n^2 - 1)), each swap of neighbours has d^2 = 2
        return 1 - 6 * 2 * len(swapped) / (8 * 63)

    assert found.raw.reference == pytest.approx(rho(3))
    assert found.raw.estimates["some"].rho == pytest.approx(rho(3, 1, 7))
    assert found.raw.estimates["some"].difference.value == pytest.approx(rho(1, 3, 7) - rho(3))
    # with the MACs: the gene -> ranks 1 2 4 3 against 1 3 2 4, d^2 = 1 + 4 + 1
    gene_macs, reference_macs = 1 - 6 * 6 / (8 * 63), rho(2)
    partial = (rho(3) - gene_macs * reference_macs) / np.sqrt((1 - gene_macs**2) * (1 - reference_macs**2))
    assert found.beyond_macs is not None
    assert found.beyond_macs.reference == pytest.approx(partial)
    assert found.networks == 8


def test_a_gene_counts_where_it_exists() -> None:
    exists = np.arange(16) < 8
    values = [*range(8), *[0] * 8]
    reference = np.array([*range(8), *range(8)], float)
    estimate = np.where(exists, -reference, reference)
    macs = np.exp(np.random.default_rng(0).normal(size=16))
    (found,) = biases([gene(values, exists)], {"some": estimate}, reference, macs)
    rated = found.raw.estimates["some"]
    assert (found.networks, found.raw.reference, rated.rho) == (8, pytest.approx(1), pytest.approx(-1))
    assert rated.difference.value == pytest.approx(-2)
    assert rated.is_clear


def test_what_hardly_varies_is_left_out() -> None:
    reference = np.arange(12.0)
    everywhere = np.ones(12, bool)
    few, enough, constant = ([1.0] * n + [0.0] * (12 - n) for n in (2, 3, 12))
    in_seven = np.arange(12) < 7
    genes = [
        gene(few, everywhere, "few"),
        gene(enough, everywhere, "enough"),
        gene(constant, everywhere, "constant"),
        gene(list(range(12)), in_seven, "in seven"),
    ]
    found = biases(genes, {"some": reference}, reference, np.arange(1.0, 13))
    assert [bias.title for bias in found] == ["enough"]
    assert biases(genes, {"some": reference}, np.ones(12), np.arange(1.0, 13)) == []


def test_estimates_without_an_order_are_left_out() -> None:
    reference = np.arange(8.0)
    estimates = {"nan": np.array([*range(7), np.nan]), "constant": np.ones(8), "same": reference}
    (found,) = biases([gene([1, 1, 1, 0, 0, 0, 1, 0])], estimates, reference, np.arange(1.0, 9))
    assert list(found.raw.estimates) == ["same"]
    assert found.raw.estimates["same"].difference == Interval(0.0, 0.0, 0.0)
    assert not found.raw.estimates["same"].is_clear
    assert found.beyond_macs is None  # the reference ranks as the MACs do: nothing is left


SPACE = built_in_space("hybrid-small").with_resolutions((12,))
NETWORKS = SPACE.decode_all(SPACE.sample(np.random.default_rng(0), 40))
GENES = gene_values(SPACE, NETWORKS)


def made_up(seed: int, *, overrated: float = 0.0, unseen: bool = False) -> list[GeneBias]:
    """Networks are worth what attention and width give; the estimate adds to one or lacks the other."""
    rng = np.random.default_rng(seed)
    attention, width = (
        stats.zscore(gene.values)
        for title in ("stage 3: attention", "stage 3: width")
        for gene in GENES
        if gene.title == title
    )
    rest = rng.normal(size=40)
    reference = 0.2 * attention + 1.5 * width + rest
    estimate = (0.2 + overrated) * attention + (0.0 if unseen else 1.5) * width + rest
    macs = np.exp(rng.normal(size=40))
    noise = 0.2 * rng.normal(size=(2, 40))
    return biases(GENES, {"the estimate": estimate + noise[0]}, reference + noise[1], macs)


def test_a_gene_that_is_added_is_found_overrated() -> None:
    for seed in range(3):
        found = made_up(seed, overrated=1.5)
        clear = [bias.title for bias in found if bias.raw.estimates["the estimate"].is_clear]
        assert clear[0] == found[0].title == "stage 3: attention"
        (sentence,) = sentences(found, ["the estimate"])
        assert sentence.startswith("the estimate overrates attention in stage 3")


def test_a_gene_that_is_lacking_is_not_seen() -> None:
    for seed in range(3):
        found = made_up(seed, unseen=True)
        assert found[0].title == "stage 3: width"
        assert sentences(found, ["the estimate"]) == ["the estimate does not see the width of stage 3"]


def test_an_estimate_without_bias_is_not_blamed() -> None:
    blamed = [sentences(made_up(seed), ["the estimate"]) for seed in range(10)]
    assert sum(map(bool, blamed)) <= 1


def test_sentences_and_rows() -> None:
    def bias(phrase: str, reference: float, rho: float, by_chance: float = 0.01) -> GeneBias:
        rated = Rated(rho, Interval(rho - reference, rho - reference - 0.1, rho - reference + 0.1), by_chance)
        return GeneBias(phrase, phrase, 40, Rho(reference, {"E": rated}), None)

    found = [
        bias("a", 0.3, 0.7),
        bias("b", 0.5, 0.1),
        bias("c", 0.1, 0.5),
        bias("d", 0.5, 0.3),
        bias("e", 0.2, -0.3),
        bias("f", 0.0, 0.9, by_chance=0.06),
        bias("g", -0.6, 0.0),
    ]
    said = sentences(found, ["E", "another"])
    assert said == ["E overrates a, c and g, underrates d and e and does not see b"]
    assert headers(found) == ("gene", "networks", "reference", "E")
    rows = bias_rows(found)
    assert rows[0] == ("a", "40", "0.30", "0.70, +0.40 [+0.30, +0.50] *")
    assert rows[5] == ("f", "40", "0.00", "0.90, +0.90 [+0.80, +1.00]")
    assert bias_rows(found, beyond_macs=True)[0] == ("a", "40", "-", "-")


def test_what_may_be_no_difference_comes_last() -> None:
    found = made_up(0, overrated=1.5)
    sizes = [bias.size for bias in found]
    assert sizes == sorted(sizes, reverse=True)
    differences = [bias.raw.estimates["the estimate"].difference for bias in found]
    is_sure = [not difference.low <= 0 <= difference.high for difference in differences]
    assert True in is_sure
    assert is_sure == sorted(is_sure, reverse=True)
