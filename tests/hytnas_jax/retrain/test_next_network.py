"""Which network is retrained next, and what it is expected to add."""

import dataclasses

import numpy as np
import pytest

from hytnas_jax.mobo import hypervolume
from hytnas_jax.retrain.archive import Archive
from hytnas_jax.retrain.next_network import BY_GAIN, QUANTILES, Succession
from hytnas_jax.retrain.roles import choose_roles

# A front of five and two behind it. The knee is row 2, whose logarithm of latency stands in the middle too.
VALUES = np.array([[0.1, 16.0], [0.15, 8.0], [0.2, 4.0], [0.4, 2.0], [0.6, 1.0], [0.25, 5.0], [0.5, 9.0]])
IMAGES = 400
ROLES = [(0, "smallest error"), (2, "knee"), (4, "smallest latency_ms")]


def archive(values: np.ndarray = VALUES, front: int = 5, **changes: object) -> Archive:
    networks = tuple(f"n{n}" for n in range(len(values)))
    found = Archive(("error", "latency_ms"), ("min", "min"), networks, values, 0 * values, front)  # type: ignore[arg-type]
    return dataclasses.replace(found, **changes)  # type: ignore[arg-type]


def in_turn(archive: Archive, became: np.ndarray, count: int) -> list[tuple[int, str]]:
    """What is retrained, where each row becomes what stands in `became`."""
    succession, errors, found = Succession(archive), dict[int, float](), []
    while len(errors) < count:
        following = succession.next(errors, IMAGES)
        if following is None:
            break
        assert following.row not in errors
        errors[following.row] = float(became[following.row])
        found.append((following.row, following.role))
    return found


def test_first_those_with_a_role_then_by_gain() -> None:
    order = in_turn(archive(), VALUES[:, 0] / 5, count=99)
    assert order[:3] == ROLES
    assert [role for _, role in order[3:]] == [BY_GAIN] * 4
    assert sorted(row for row, _ in order) == list(range(7))
    # 4 and 2 are the largest gap; what is behind the front comes last, and 9 ms at 10% is of no use at all
    assert [row for row, _ in order[3:]] == [3, 1, 5, 6]


def test_the_gain_is_what_would_be_added_in_the_mean() -> None:
    """Gone through, quantile by quantile, with the hypervolume of the front with and without the network."""
    succession = Succession(archive())
    errors = {0: 0.02, 2: 0.05, 4: 0.2}
    following = succession.next(errors, IMAGES)
    expected = succession.forecast(errors, IMAGES)
    assert following is not None
    assert expected is not None
    costs = np.log(VALUES[:, 1])
    became = np.array([[error, costs[row]] for row, error in errors.items()])
    seen = np.concatenate([became, np.column_stack([expected.error[[1, 3]], costs[[1, 3]]])])
    corner = seen.max(0) + 0.1 * (seen.max(0) - seen.min(0))
    alone, gains = hypervolume(became, corner), {}
    for row in (1, 3, 5, 6):
        points = [[error, costs[row]] for error in expected.quantiles(QUANTILES)[row]]
        with_it = [hypervolume(np.concatenate([became, [point]]), corner) for point in points]
        gains[row] = np.mean(with_it) / alone - 1
    assert following.row == max(gains, key=gains.__getitem__)
    assert following.gain == pytest.approx(gains[following.row])
    assert following.expected == expected.of(following.row)


def test_one_that_disappoints_is_made_up_for_by_the_next_behind() -> None:
    """Row 2 costs 4, and becomes no better than row 3, which costs 2; row 5, behind it, costs 5."""
    usual = Succession(archive()).next({0: 0.02, 1: 0.03, 2: 0.04, 3: 0.08, 4: 0.12}, IMAGES)
    disappointed = Succession(archive()).next({0: 0.02, 1: 0.03, 2: 0.08, 3: 0.08, 4: 0.12}, IMAGES)
    assert usual is not None
    assert disappointed is not None
    assert (usual.row, disappointed.row) == (5, 5)
    assert usual.gain is not None
    assert disappointed.gain is not None
    assert disappointed.gain > 2 * usual.gain


def test_one_that_has_learnt_nothing_does_not_end_it() -> None:
    """It is on no front, so that it moves no corner."""
    errors = {0: 0.02, 2: 0.9, 4: 0.12}
    following = Succession(archive()).next(errors, IMAGES)
    assert following is not None
    assert following.row in (1, 3)
    assert following.gain is not None
    assert following.gain > 0.05


def test_what_follows_depends_on_what_became_and_on_nothing_else() -> None:
    succession, errors = Succession(archive()), {0: 0.02, 2: 0.05, 4: 0.2}
    succession.next({}, IMAGES)
    assert succession.next(errors, IMAGES) == Succession(archive()).next(errors, IMAGES)
    assert succession.next(errors, IMAGES) == succession.next(dict(reversed(errors.items())), IMAGES)


def test_what_was_expected_was_learnt_from_those_before() -> None:
    succession = Succession(archive())
    first, second = succession.next({}, IMAGES), succession.next({0: 0.02}, IMAGES)
    assert first is not None
    assert second is not None
    assert (first.expected, first.gain, first.why) == (None, None, "smallest error")
    assert second.expected is not None
    assert second.expected.networks == 1
    assert second.expected.low < second.expected.error < second.expected.high
    third = succession.next({0: 0.02, 2: 0.05, 4: 0.2}, IMAGES)
    assert third is not None
    assert third.why.startswith("would add ")


def test_halving_a_cost_counts_the_same_anywhere() -> None:
    """In other units, nothing changes."""
    other = VALUES * [1, 1e-6]
    errors = {0: 0.02, 2: 0.05, 4: 0.2}
    one, two = (Succession(archive(values)).next(errors, IMAGES) for values in (VALUES, other))
    assert one is not None
    assert two is not None
    assert one.row == two.row
    assert one.gain == pytest.approx(two.gain)


def test_costs_that_are_better_the_larger_and_may_be_negative() -> None:
    scores = np.column_stack([VALUES[:, 0], 10 - VALUES[:, 1]])
    found = archive(scores, names=("error", "zen_score"), directions=("min", "max"))
    order = in_turn(found, scores[:, 0] / 5, count=99)
    assert order[0] == (0, "smallest error")
    assert sorted(row for row, _ in order) == list(range(7))


def test_three_objectives() -> None:
    values = np.column_stack([VALUES, VALUES[::-1, 1] + 1])
    found = archive(values, names=("error", "latency_ms", "macs"), directions=("min",) * 3)
    order = in_turn(found, values[:, 0] / 5, count=99)
    assert len(order) == len({row for row, _ in order}) == 7


def test_the_error_after_training_goes_before_the_supernets() -> None:
    values = np.column_stack([VALUES[:, 0], VALUES])
    found = archive(values, names=("error", "trained_error", "latency_ms"), directions=("min",) * 3)
    assert found.error == 1
    np.testing.assert_array_equal(found.costs, VALUES[:, 1:])


@pytest.mark.parametrize(
    ("names", "directions"),
    [(("zen_score", "macs"), ("max", "min")), (("error", "trained_error"), ("min", "min"))],
)
def test_without_errors_or_costs_networks_of_the_front_far_apart(
    names: tuple[str, str], directions: tuple[str, str]
) -> None:
    found = archive(names=names, directions=directions)
    order = in_turn(found, VALUES[:, 0], count=99)
    assert order == choose_roles(found.minimised[:5], list(names), 5)
    assert {role for _, role in order[3:]} <= {"spread", "knee"}


def test_equal_networks_and_errors() -> None:
    order = in_turn(archive(np.ones((4, 2)) * 0.5, front=4), np.full(4, 0.5), count=99)
    assert sorted(row for row, _ in order) == [0, 1, 2, 3]


def test_all_become_perfect() -> None:
    assert len(in_turn(archive(), np.zeros(7), count=99)) == 7


def test_pending_networks_are_taken_to_become_what_is_expected() -> None:
    """So the next is another one, as if they had ended so; but nothing has been learnt from them."""
    succession, errors = Succession(archive()), {0: 0.02, 2: 0.05, 4: 0.2}
    first = succession.next(errors, IMAGES)
    assert first is not None
    second = succession.next(errors, IMAGES, pending=[first.row])
    expected = succession.forecast(errors, IMAGES)
    assert second is not None
    assert expected is not None
    assert second.row not in (first.row, *errors)
    assert second.expected == expected.of(second.row)
    assert second.gain is not None
    assert first.gain is not None
    assert second.gain < first.gain


def test_those_with_a_role_do_not_wait_and_all_others_do() -> None:
    succession = Succession(archive())
    second = succession.next({}, IMAGES, pending=[ROLES[0][0]])
    assert second is not None
    assert (second.row, second.role) == ROLES[1]
    assert succession.next({}, IMAGES, pending=[row for row, _ in ROLES]) is None
