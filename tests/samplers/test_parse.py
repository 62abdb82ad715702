import pytest

from gddim_tf.samplers import DDIM, GDDIM, ListGrid, PowerGrid
from gddim_tf.samplers.parse import names, parse


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
        ("ddim(ate=1)", "ate"),
        ("ddim(", "ddim"),
    ],
)
def test_what_is_wrong_is_said(text, message):
    with pytest.raises(ValueError, match=message) as error:
        parse(text)
    assert "`sampler`" in str(error.value)
    if text == "default":
        assert "grid" not in str(error.value)
