"""Which strategies there are and what they are called."""

import pickle

import pytest

from hytnas_jax.mobo import Settings
from hytnas_jax.study_search.strategies import make_strategies
from supernet.errors import UserError


def named(*, surrogates=(), acquisitions=(), selections=(), batches=(1,)) -> list[str]:
    made = make_strategies(
        surrogates=surrogates, acquisitions=acquisitions, selections=selections, batches=batches
    )
    assert [strategy.name for strategy in pickle.loads(pickle.dumps(made))] == [s.name for s in made]
    return [strategy.name for strategy in made]


def test_without_a_surrogate_the_default_settings_are_studied() -> None:
    assert named() == ["random", "nsga2", "default"]
    assert named(batches=(4, 1)) == ["random", "nsga2", "default/4", "default"]
    *_, default = make_strategies(surrogates=(), acquisitions=(), selections=(), batches=(1,))
    assert default.start.keywords == {"settings": Settings(), "batch": 1}


def test_all_combinations_are_made_once() -> None:
    names = named(
        surrogates=("gp", "xgboost", "gp"), acquisitions=("ucb", "ei"), selections=("hvi",), batches=(1, 4)
    )
    assert names == [
        "random",
        "nsga2",
        *("gp+ucb+hvi", "gp+ucb+hvi/4", "gp+ei+hvi", "gp+ei+hvi/4"),
        *("xgboost+ucb+hvi", "xgboost+ucb+hvi/4", "xgboost+ei+hvi", "xgboost+ei+hvi/4"),
    ]


def test_what_is_not_named_beside_a_surrogate_is_the_default() -> None:
    default = Settings()
    assert named(surrogates=("xgboost",))[2:] == [f"xgboost+{default.acquisition}+{default.selection}"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"surrogates": ("gpp",)}, "--surrogate gpp: choose among gp"),
        ({"surrogates": ("gp",), "acquisitions": ("lcb",)}, "--acquisition lcb: choose among ucb"),
        ({"surrogates": ("gp",), "selections": ("best",)}, "--selection best: choose among hvi"),
        ({"acquisitions": ("ucb", "ei")}, "--acquisition ucb ei: needs --surrogate too"),
        ({"selections": ("hvi",)}, "--selection hvi: needs --surrogate too"),
        ({"batches": (1, 0)}, "--batch 1 0: give numbers of at least 1"),
        ({"batches": ()}, "--batch (nothing): give numbers"),
    ],
)
def test_wrong_flags_are_named(flags: dict, message: str) -> None:
    with pytest.raises(UserError) as error:
        named(**flags)
    assert message in str(error.value)
