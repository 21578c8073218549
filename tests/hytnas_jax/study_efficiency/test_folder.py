"""What a study of efficiency left, read back."""

from pathlib import Path

import numpy as np
import pytest
from made_up_folder import SPACE, fitted, make_study, to_spec

from hytnas_jax.study_efficiency.folder import read_studied
from hytnas_jax.workspace.workdir import Workdir
from proxies.latency.features import architecture_features
from supernet.errors import UserError


def test_the_space_and_the_predictors_are_read_back(tmp_path: Path) -> None:
    predictor = fitted()
    studied = read_studied(Workdir(make_study(tmp_path / "work", {"pi": predictor, "board": predictor})))
    assert studied.plan.space == SPACE
    assert studied.devices == ("board", "pi")
    architectures = SPACE.decode_all(SPACE.sample(np.random.default_rng(1), 20))
    assert [studied.plan.to_spec(a) for a in architectures] == [to_spec()(a) for a in architectures]
    features = architecture_features(architectures, studied.plan.to_spec)
    assert np.allclose(studied.predictor("pi").predict(features), predictor.predict(features))


def test_a_device_is_named_where_there_are_several(tmp_path: Path) -> None:
    predictor = fitted()
    one = read_studied(Workdir(make_study(tmp_path / "one", {"pi": predictor})))
    assert (one.device(None), one.device("pi")) == ("pi", "pi")
    two = read_studied(Workdir(make_study(tmp_path / "two", {"pi": predictor, "board": predictor})))
    assert two.device("board") == "board"
    with pytest.raises(UserError, match="--device is needed; give one of board, pi"):
        two.device(None)
    with pytest.raises(UserError, match="--device phone: is none of those measured; give one of board, pi"):
        two.device("phone")
    none = read_studied(Workdir(make_study(tmp_path / "none", {})))
    with pytest.raises(UserError, match=r"no device has measured 10 networks .*; measure them"):
        none.device(None)


def test_what_is_missing_or_damaged_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"run: python -m hytnas_jax\.study_efficiency --workdir"):
        read_studied(Workdir(tmp_path / "empty"))
    work = make_study(tmp_path / "work", {"pi": fitted()})
    (work / "efficiency" / "predictors" / "pi.json").write_text("{}")
    with pytest.raises(UserError, match=r"pi\.json: this is no latency predictor"):
        read_studied(Workdir(work)).predictor("pi")
