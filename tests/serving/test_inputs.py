"""What a signature refuses, asked through the C loader, which checks no shape by itself."""

import numpy as np
import pytest

from benchmarks.load.c_session import CError, CSession
from gddim_tf import sdes, serving
from gddim_tf.samplers import DDIM
from tests.conftest import own_model
from tests.serving.conftest import assert_same_images
from tests.serving.test_server_files import warmup

INVALID_ARGUMENT = 3
NAN = np.full(4, np.nan, np.float32)


@pytest.fixture(scope="module")
def session(served):
    return CSession(served.path)


def rows(count):
    integers = np.zeros(count, np.int32)
    return {"seed": integers, "label": integers, "guidance": np.ones(count, np.float32)}


@pytest.mark.parametrize(
    ("signature", "changed", "message"),
    [
        ("sample_10", rows(0), r"`seed` must hold 1 to 1024 rows, received shape] [0]"),
        (
            "sample_png_10",
            rows(10**5),
            r"`seed` must hold 1 to 1024 rows, received shape] [100000]",
        ),
        ("sample_10", {"seed": np.int32(1)}, "`seed` must have shape [batch] or [batch, 2]"),
        ("sample_10", {"seed": np.zeros((4, 2, 1), np.int32)}, "`seed` must have shape"),
        (
            "sample_10",
            {"label": np.int32([0, 1])},
            "`label` must have shape [batch], with the batch",
        ),
        ("sample_10", {"label": np.zeros((4, 1), np.int32)}, "`label` must have shape [batch]"),
        ("sample_10", {"label": np.int32([0, -1, 0, 0])}, "`label` must be in [0, 3]"),
        ("sample_10", {"guidance": NAN}, "`guidance` must be finite"),
        ("sample_10", {"guidance": np.float32(2)}, "`guidance` must have shape [batch]"),
        ("sample", {"nfe": np.int32([10] * 3)}, "`nfe` must have shape [batch]"),
        ("sample", {"nfe": np.int32([0] * 4)}, "`nfe` must be one of 3, 10, 50, the same"),
        ("sample", {"nfe": np.int32([10**6] * 4)}, "`nfe` must be one of 3, 10, 50"),
        (
            "decode",
            {"state": np.zeros((4, 8, 8), np.float32)},
            "`state` must have shape [batch, 8,",
        ),
        (
            "decode",
            {"state": NAN.reshape(4, 1, 1, 1) + np.zeros((4, 8, 8, 1), np.float32)},
            "finite",
        ),
        ("denoise", {"time": NAN}, "`time` must be finite"),
        ("denoise", {"time": np.float32([1, 1, -1, 1])}, "`time` must be in [0.001, 1], received"),
        ("denoise", {"time": np.full(4, 5, np.float32)}, "`time` must be in [0.001, 1]"),
        ("denoise", {"time": np.full(4, 1e30, np.float32)}, "`time` must be in [0.001, 1]"),
        ("denoise", {"time": np.full(4, 9e-4, np.float32)}, "`time` must be in [0.001, 1]"),
        ("denoise", {"time": np.ones(1, np.float32)}, "`time` must have shape [batch], with the"),
        (
            "encode",
            {"image": np.zeros((4, 8, 9, 1), np.uint8)},
            "`image` must have shape [batch, 8,",
        ),
        ("edit", {"strength": np.full(4, 0.5, np.float32)}, "`strength` must be one of 0.2, 0.4, "),
        ("edit", {"strength": np.float32([0.2, 0.4, 0.4, 0.4])}, "0.8, the same in all rows"),
        ("decode_from", {"strength": NAN}, "`strength` must be finite"),
        ("inpaint", {"mask": np.zeros((4, 8, 8), np.uint8)}, "`mask` must have shape [batch, 8, 8"),
        ("inpaint", {"mask": np.zeros((1, 8, 8, 1), np.uint8)}, "`mask` must have shape [batch"),
        ("decode", {"state": np.full((4, 8, 8, 1), 3e38, np.float32)}, "the network must return"),
        # TensorFlow itself refuses another type, before the graph could name the input
        ("sample_10", {"label": np.zeros(4, np.float32)}, "to be int32 but float is provided"),
    ],
)
def test_a_wrong_input_is_named_and_the_next_request_is_answered(
    served, session, signature, changed, message
):
    good = served.inputs(nfe=np.int32([10] * 4))
    good |= {"state": served.state, "time": np.ones(4, np.float32)}
    good |= dict.fromkeys(("image", "mask"), np.zeros((4, 8, 8, 1), np.uint8))
    good["strength"] = np.full(4, 0.4, np.float32)
    names = session.signatures[signature]["inputs"]
    with pytest.raises(CError) as refused:
        session.run(signature, {name: {**good, **changed}[name] for name in names})
    assert message in str(refused.value)
    assert refused.value.code == INVALID_ARGUMENT
    answer = session.run("sample_10", served.inputs())
    assert_same_images(answer["image"], served.images("sample_10"))


def test_the_largest_batch_is_chosen_at_export(tmp_path):
    options = {"largest_batch": 2, "batch_sizes": (1, 2)}
    path = serving.export(own_model(), tmp_path / "few", {"sample_1": (DDIM(), 1)}, **options)
    session = CSession(path)
    assert session.run("sample_1", {"seed": np.int32([1, 2])})["image"].shape == (2, 8, 8, 1)
    with pytest.raises(CError, match="`seed` must hold 1 to 2 rows"):
        session.run("sample_1", {"seed": np.int32([1, 2, 3])})
    with pytest.raises(ValueError, match=r"`batch_sizes` must be in 1 to 2, received \[1, 3\]"):
        serving.export(
            own_model(), tmp_path, {"a_1": (DDIM(), 1)}, **options | {"batch_sizes": [3, 1]}
        )


@pytest.mark.parametrize(
    ("sde", "first"),
    [(sdes.BDM(8, t_max=0.98), 1e-5), (sdes.make("ddpm", 8), 1.0), (sdes.VESDE.karras(), 0.002)],
)
def test_the_times_of_a_diffusion_are_those_that_denoise_answers(tmp_path, sde, first):
    path = serving.export(own_model(sde), tmp_path / "m", {"s": ("ddim", 1)}, batch_sizes=[1])
    session, state = CSession(path), np.zeros((1, 8, 8, 1), np.float32)
    for time in (first, sde.t_max):
        answer = session.run("denoise", {"state": state, "time": np.float32([time])})
        assert np.isfinite(answer["eps"]).all()
    for time in (0.99 * first, 1.001 * sde.t_max):
        with pytest.raises(CError, match="`time` must be in"):
            session.run("denoise", {"state": state, "time": np.float32([time])})
    for signature, _, inputs in warmup(path):
        session.run(signature, inputs)
