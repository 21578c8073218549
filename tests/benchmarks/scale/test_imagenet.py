"""The arithmetic for accelerators: a layer and a machine by hand."""

import pytest

from benchmarks.scale.imagenet import BYTES, Config, Machine, _elements, _on, counts
from supernet import named_network
from supernet.graph import build_graph
from supernet.operations import Op


def test_a_map_counts_where_it_is_written() -> None:
    written = Op("conv", "blocks/0/conv", (0,), 1, (4, 4, 8), norm="blocks/0/norm")
    activation = Op("activation", "blocks/0/relu", (1,), 2, (4, 4, 8), function="relu")
    view = Op("merge_heads", "blocks/0/view", (2,), 3, (16, 8), is_view=True)
    assert [_elements(op) for op in (written, activation, view)] == [128, 0, 0]


def test_what_a_network_moves_is_14_times_its_normalised_maps_and_4_times_the_others() -> None:
    spec = named_network("mobilenetv2-0.35", num_classes=10, resolution=32)
    ops = build_graph(spec).ops
    normalised = sum(_elements(op) for op in ops if op.norm)
    others = sum(_elements(op) for op in ops if not op.norm)
    counted = counts(spec)
    assert (
        counted["norms"] == 52
    )  # as its paper has it: a stem, 17 blocks, of which one has two, and the last
    assert counted["bytes_moved"] == BYTES * (14 * normalised + 4 * others)
    assert counted["bytes_kept"] == BYTES * (normalised + others)


def test_the_slower_of_two_limits_counts() -> None:
    """8 images on each of 2 chips, of 1 GFLOP at 0.5 * 1e12 a second (2 ms), and 3 MB at 0.5 * 1e9 (6 ms)."""
    config = Config(batch_size=16, compute_share=0.5, bandwidth_share=0.5, epochs=1)
    machine = Machine("two", 2, flops=1e12, bandwidth=1e9, memory=1e9)
    image = {"gflop": 1.0, "megabytes_moved": 3.0, "megabytes_kept": 10.0}
    found = _on(machine, config, image, norms=0, decoded=100)
    assert (found["limited by"], found["images a second"]) == ("memory bandwidth", 333)
    assert found["hours"] == pytest.approx(1_281_167 / (2 / 6e-3) / 3600, abs=0.05)
    assert found["most images on a chip"] == 40  # of 800 MB, 20 each
    assert found["cores that decode"] == 4
    # 100 sums forward and 100 backward, of 20 microseconds each: 4 ms beside 48 ms
    slower = _on(machine, config, image, norms=100, decoded=100)
    assert slower["images a second"] == round(16 / 52e-3)
    assert slower["share of a step for BatchNorm's sums"] == 0.08
