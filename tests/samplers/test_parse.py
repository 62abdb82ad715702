import dataclasses

import pytest

from gddim_tf import samplers, sdes
from gddim_tf.samplers import DDIM, GDDIM, ListGrid, PowerGrid
from gddim_tf.samplers.parse import as_sampler, chosen, names, parse, split


@pytest.mark.parametrize(
    ("text", "sampler"),
    [
        ("ddim", DDIM()),
        (" DDIM(eta=0.5) ", DDIM(eta=0.5)),
        ("gddim(order=3, grid=power(power=3))", GDDIM(order=3, grid=PowerGrid(3))),
        ("ddim(grid=ListGrid([1.0, 0.5, 0.1]))", DDIM(grid=ListGrid([1.0, 0.5, 0.1]))),
    ],
)
def test_samplers_from_text(text, sampler):
    assert parse(text) == sampler


def test_every_sampler_has_a_name():
    assert all(parse(name) for name in names())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("default", "must be one of ancestral, ddim, deis, .*, unipc, received 'default'"),
        ("table", "must be one of ancestral, .*, unipc, received 'table'"),
        ("power", "must be one of ancestral, .*, unipc, received 'power'"),
        ("3", "must be one of ancestral, .*, unipc, received '3'"),
        ("ddim(1)", r"arguments must be keywords, as in ddim\(grid=power\(power=3\)\)"),
        ("ddim(grid=unipc)", "must be one of list, listgrid, .*, received 'unipc'"),
        ("gddim(order=1.5)", "`order` must be a whole number of at least 0, received 1.5"),
        ("ddim(grid=power(power=0))", "`power` must be positive, received 0"),
        ("ddim(clip=0)", "`clip` must be positive, received 0"),
        ("ddim(ate=1)", "`argument` must be one of .*received 'ate'"),
        ("ddim(et=1)", "received 'et'; did you mean eta"),
        ("ddim(grid=power(powr=2))", "`argument` must be one of power, received 'powr'"),
        ("ddim(", "ddim"),
        ("", "must be a name or a call such as"),
        ("ddim,gddim", "must be a single one, received 2: 'ddim,gddim'"),
        ("ddim; gddim", "must be a name or a call such as"),
        ("'ddim'", "must be one of ancestral"),
        ("a.b", "must be one of ancestral"),
        ("a.b()", "must be one of ancestral"),
        ("ddim(eta=x.y)", r"arguments must be numbers, texts or grids, received x\.y"),
        ("ddim(eta=1+)", "must be a name or a call"),
        ("ddim(**x)", "`sampler`"),
        ("ddim(eta=[z for z in 3])", "arguments must be numbers, texts or grids"),
        ("ddim(grid=3)", "`grid` must be a grid, received 3"),
        ("gddim(order='two')", "`sampler` .*two"),
        ("(" * 1000, "must be a name or a call"),
        ("-" * 1900 + "1", "`sampler`"),
        ("[" * 10**6, "received 1000000 characters"),
        ("ddim\0", "`sampler`"),
    ],
)
def test_what_is_wrong_is_said(text, message):
    with pytest.raises(ValueError, match=message) as error:
        parse(text)
    assert "`sampler`" in str(error.value)
    if text == "default":
        assert "grid" not in str(error.value)


class Twice(DDIM):
    """A user's own."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Needy(DDIM):
    needed: int = dataclasses.field()


def test_a_sampler_its_class_and_its_name_are_the_same():
    for value in (DDIM(), DDIM, "ddim", "DDIM()"):
        assert as_sampler(value) == DDIM()
    assert as_sampler(Twice) == Twice()
    for value in (3, None, dict, DDIM.table, sdes.VPSDE()):
        with pytest.raises(ValueError, match="`sampler` must be one, or one of ancestral, ddim"):
            as_sampler(value)
    with pytest.raises(ValueError, match="`sampler` Needy needs its arguments"):
        as_sampler(Needy)
    for value in (None, "default", " Default "):
        assert chosen(value, sdes.VPSDE(), 10) == samplers.default(sdes.VPSDE(), 10)
    assert chosen("ddim", sdes.VPSDE(), 10) == DDIM()
    assert samplers.names() == names()


def test_an_own_class_under_a_name():
    assert parse("twice(eta=0.5)", {"Twice": Twice}) == Twice(eta=0.5)


def test_several_in_one_text():
    assert split("ddim, gddim(order=2, grid=list([1.0, 0.5]))") == [
        "ddim",
        "gddim(order=2, grid=list([1.0, 0.5]))",
    ]
    assert split("default; ddim(eta=1)") == ["default", "ddim(eta=1)"]
    assert split("ddim") == ["ddim"]
