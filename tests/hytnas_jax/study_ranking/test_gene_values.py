"""Genes as numbers and in words, of networks that are spelt out."""

import dataclasses

import numpy as np

from hytnas_jax.study_ranking.gene_values import gene_values
from supernet.search_space import SearchSpace
from supernet.spaces import built_in_space
from supernet.stage_space import StageSpace

SPACE = built_in_space("hybrid-small").with_resolutions((8, 16))


def test_each_gene_has_its_value_its_words_and_where_it_exists() -> None:
    networks = SPACE.decode_all(SPACE.sample(np.random.default_rng(0), 20))
    found = {gene.title: gene for gene in gene_values(SPACE, networks)}
    assert len(found) == len(SPACE.genes)
    stages = [network.stages[1] for network in networks]
    is_attention = [stage.block == "attention" for stage in stages]
    assert 0 < sum(is_attention) < 20
    assert found["resolution"].values.tolist() == [network.resolution for network in networks]
    assert found["stage 2: attention"].values.tolist() == is_attention
    assert found["stage 2: attention"].phrase == "attention in stage 2"
    assert found["stage 2: width"].values.tolist() == [stage.width for stage in stages]
    assert found["stage 2: width"].phrase == "the width of stage 2"
    assert found["stage 2: width"].exists.all()
    for title, field in (("embedding", "embed"), ("attention heads", "heads"), ("patch size", "patch")):
        gene = found[f"stage 2: {title}"]
        assert gene.exists.tolist() == is_attention
        assert gene.values.tolist() == [getattr(stage, field) for stage in stages]
    ratio = found["stage 2: FFN ratio"].values
    assert (ratio * [stage.embed for stage in stages]).astype(int).tolist() == [s.ffn for s in stages]


def test_a_growth_is_the_width_that_comes_of_it() -> None:
    stages = (StageSpace(stride=1, width=(8, 16)), StageSpace(growth=(1, 1.5, 2), max_width=24))
    space = SearchSpace("grown", stages, (8,), stem_width=4)
    networks = space.decode_all(np.array([[0, 0], [0, 1], [1, 1], [1, 2]]))
    widths = gene_values(space, networks)[1]
    assert (widths.title, widths.values.tolist()) == ("stage 2: width", [8, 12, 24, 24])


def test_where_all_is_attention_its_genes_are_everywhere() -> None:
    stage = dataclasses.replace(SPACE.stages[1], block=("attention",))
    space = dataclasses.replace(SPACE, stages=(SPACE.stages[0], stage))
    networks = space.decode_all(space.sample(np.random.default_rng(0), 9))
    assert all(gene.exists.all() for gene in gene_values(space, networks))
