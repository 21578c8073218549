"""Flags to columns, and what is said of flags that cannot be."""

import pytest

from hytnas_jax.study_search.columns import parse_columns
from supernet.errors import UserError


def test_names_may_stand_behind_commas_or_one_by_one() -> None:
    one = parse_columns(
        features=["a,b,c"], objectives=["up:max,down:min"], categorical=["c,b"], known=["down"]
    )
    other = parse_columns(
        features=["a", "b,", " c"], objectives=["up:max", "down:min"], categorical=["b", "c"], known=["down"]
    )
    assert one == other
    assert one.features == ("a", "b", "c")
    assert one.objectives == {"up": "max", "down": "min"}
    assert one.categorical == ("b", "c")


def test_an_objective_may_have_colons_in_its_name() -> None:
    columns = parse_columns(features=["a"], objectives=["dev:bleu:max", "t:min"])
    assert columns.objectives == {"dev:bleu": "max", "t": "min"}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"features": []}, "--features: names no column"),
        ({"features": ["a,b,a"]}, "--features: 'a' stands there 2 times; name it once"),
        ({"objectives": ["u:max,t:up"]}, "--objectives t:up: must be NAME:min or NAME:max"),
        ({"objectives": ["u,t"]}, "--objectives u: must be NAME:min or NAME:max"),
        ({"objectives": [":min", "t:min"]}, "--objectives :min: must be"),
        ({"objectives": ["u:max,u:min"]}, "--objectives: 'u' stands there twice"),
        ({"objectives": ["u:max"]}, "--objectives u:max: there are 1; name two, three or four"),
        ({"objectives": ["a:max,b:max,c:max,d:max,e:max"], "features": ["x"]}, "there are 5; name two"),
        ({"objectives": ["a:max,t:min"]}, "--objectives a: is also one of the --features"),
        ({"categorical": ["z"]}, "--categorical z: must be one of the --features: a, b"),
        ({"known": ["a"]}, "--known-objectives a: must be one of the --objectives: u, t"),
        ({"known": ["t,u"]}, "--known-objectives t,u: are all of the --objectives"),
    ],
)
def test_wrong_flags_are_named(changed: dict, message: str) -> None:
    flags = {"features": ["a,b"], "objectives": ["u:max,t:min"], **changed}
    with pytest.raises(UserError) as error:
        parse_columns(**flags)
    assert message in str(error.value)
