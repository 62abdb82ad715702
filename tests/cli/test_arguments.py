"""Options that several commands have in common."""

import argparse
import sys

import pytest

from gddim_tf import data, sdes
from gddim_tf.cli.arguments import (
    check_names,
    features_for,
    named_sampler,
    named_samplers,
    named_value,
)
from gddim_tf.cli.names import KINDS, names
from gddim_tf.models.prediction import PREDICTIONS
from gddim_tf.models.prediction_base import WEIGHTINGS
from gddim_tf.networks import PRESETS
from gddim_tf.samplers import DDIM, GDDIM, parse
from gddim_tf.training import RECIPES, strategies

OWN = """
import dataclasses
from gddim_tf.samplers import DDIM

@dataclasses.dataclass(frozen=True, kw_only=True)
class Mine(DDIM):
    size: int = 1

number = 3
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path != str(tmp_path)])
    (tmp_path / "own_samplers_here.py").write_text(OWN)
    (tmp_path / "broken_here.py").write_text("not (Python")
    (tmp_path / "raising_here.py").write_text("1 / 0")
    yield tmp_path
    sys.modules.pop("own_samplers_here", None)


def test_an_own_sampler_by_its_module(folder):
    assert named_sampler("own_samplers_here:Mine").size == 1
    assert named_sampler(" own_samplers_here:Mine(size=2, eta=0.5) ").size == 2
    default, own, other = named_samplers("default, own_samplers_here:Mine(size=3), gddim(order=2)")
    assert (default, own.size, other) == (None, 3, GDDIM(order=2))


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("own_samplers_here:Other", ValueError, "must be a class of Sampler, received None"),
        ("own_samplers_here:number", ValueError, "must be a class of Sampler, received 3"),
        ("own_samplers_here:Mine(size=)", ValueError, "must be a name or a call"),
        ("own_samplers_here:Mine(sise=2)", ValueError, "sise"),
        ("nowhere_here:Mine", ImportError, "nowhere_here:Mine cannot be imported: ModuleNot"),
        ("broken_here:Mine", ImportError, "broken_here:Mine cannot be imported: SyntaxError"),
        ("raising_here:Mine", ImportError, "raising_here:Mine cannot be imported: ZeroDivision"),
        ("../x:Mine", ValueError, "must be a name or a call"),
    ],
)
def test_what_is_wrong_with_an_own_sampler_is_said(folder, text, error, message):
    with pytest.raises(error, match=message) as refused:
        named_sampler(text)
    assert "`sampler`" in str(refused.value)


def test_samplers_separated_by_commas_or_semicolons():
    assert named_samplers("ddim,gddim") == [DDIM(), GDDIM()]
    assert named_samplers("ddim; gddim(order=2)") == [DDIM(), GDDIM(order=2)]
    with pytest.raises(ValueError, match="must be a name or a call"):
        named_samplers("ddim,,gddim")


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ("clothes", "`--features` must be digits, fashion or inception, .* received 'clothes'"),
        ("random:x", "`--features` must be .* or random, received 'random:x'"),
        ("fashion:folder", "`--features` fashion:FILE must .* received 'fashion:folder'"),
    ],
)
def test_features_that_there_are_not(features, message):
    with pytest.raises(ValueError, match=message):
        features_for("digits", features)
    assert features_for("digits", "fashion:own.keras") == "fashion:own.keras"


def test_a_name_and_a_value():
    assert named_value("x-team=a=b") == ("x-team", "a=b")
    for text in ("x-team", "=a", ""):
        with pytest.raises(argparse.ArgumentTypeError, match="must be NAME=VALUE"):
            named_value(text)


def test_the_names_that_are_checked_without_tensorflow_are_those_that_exist():
    existing = {
        "data set": data.names(),
        "recipe": RECIPES,
        "sde": sdes.names(),
        "network": PRESETS,
        "prediction": PREDICTIONS,
        "weighting": WEIGHTINGS,
        "precision": ("float32", "mixed_bfloat16"),
        "strategy": strategies.NAMES,
        "sampler": parse.names(),
    }
    assert set(KINDS) == set(existing)
    for kind, known in existing.items():
        assert sorted(names(kind)) == sorted(known)


@pytest.mark.parametrize(
    "text",
    ["default", "DDIM", " gddim(order=2) ; ddim(eta=1, grid=power(power=3)),deis", "own:Mine"],
)
def test_samplers_that_exist_pass(text):
    check_names(argparse.Namespace(samplers=text, sampler=text, sde=None, network="ddpm_tiny"))


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("sde", "vpp", "`sde` must be one of vp, .*, received 'vpp'; did you mean vp?"),
        ("network", "ddpm_digit", "did you mean ddpm_digits?"),
        (
            "precision",
            "int4",
            "`precision` must be one of float32, mixed_bfloat16, received 'int4'",
        ),
        ("sampler", "ddmi(eta=1)", "`sampler` must be one of .*'ddmi'; did you mean ddim?"),
        ("samplers", "ddim, deiss", "`sampler` .* received 'deiss'; did you mean deis?"),
    ],
)
def test_a_mistyped_name_is_told_with_the_one_that_it_resembles(option, value, message):
    with pytest.raises(ValueError, match=message):
        check_names(argparse.Namespace(**{option: value}))
