"""Which diffusion a configuration, a preset or the silence of both stands for."""

import numpy as np
import pytest

from gddim_tf import sdes
from gddim_tf.checkpoints.families import FAMILIES, Checkpoint
from gddim_tf.networks import Architecture

BY_NAME = {family.name: family for family in FAMILIES}


def of(config, name="score_sde_flax", components=1, preset=None):
    architecture = Architecture(8, 1, components, channel_multipliers=(1,))
    return BY_NAME[name].diffusion(Checkpoint({}, config, preset=preset), architecture)


def section(kind, **constants):
    return {"training": {"sde": kind}, "model": constants}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (of(section("vpsde")), sdes.VPSDE()),
        (of(section("vpsde", beta_min=0.2, beta_max=15)), sdes.VPSDE(0.2, 15)),
        (of(section("vesde", sigma_max=348)), sdes.VESDE(0.01, 348)),
        (
            of({"model": {"m_inv": 2, "beta_0": 3, "beta_1": 1, "vv_gamma": 0.1}}, components=2),
            sdes.CLD(3, 1, mass=0.5, gamma=0.1),
        ),
        (of({}, "cld_sgm", 2), sdes.CLD(initial_eps=1e-9, time_scale=1)),
        (
            of({"beta0": "5", "gamma": "0.1", "numerical_eps": "1e-8"}, "cld_sgm", 2),
            sdes.CLD(5, gamma=0.1, initial_eps=1e-8, time_scale=1),
        ),
        (of({"model": {"sigma_blur_max": 20}}), sdes.BDM(8, 20)),
        (of({}, preset="ncsnpp_deep_bdm_cifar10"), sdes.BDM(8)),
        (of({}, preset="ddpmpp_cifar10"), sdes.VPSDE()),
    ],
)
def test_the_constants_of_the_configuration_are_used(found, expected):
    assert type(found) is type(expected)
    assert found.get_config() == expected.get_config()


@pytest.mark.parametrize("name", ["ermongroup", "diffusers"])
def test_silence_means_the_table_of_ddpm(name):
    betas = of({}, name).betas
    assert (len(betas), betas[0], betas[-1]) == (1000, 1e-4, 0.02)


def test_edm_stands_for_its_own_diffusion():
    assert of({}, "edm").get_config() == sdes.VESDE.karras().get_config()


def test_what_is_not_known_is_refused():
    with pytest.raises(ValueError, match=r"`sde` must be vpsde, .* received 'subvpsde'"):
        of(section("subvpsde"))
    with pytest.raises(ValueError, match="`sde` must be given where the configuration does not"):
        of({"model": {"nf": 128}})
    with pytest.raises(ValueError, match=r"`sde` of CLD-SGM must be cld .* received 'vpsde'"):
        of({"sde": "vpsde"}, "cld_sgm")


def scheduled(**scheduler):
    architecture = Architecture(8, 1, channel_multipliers=(1,))
    return BY_NAME["diffusers"].diffusion(Checkpoint({}, {}, scheduler), architecture)


def test_schedules_of_diffusers():
    """Values computed by hand from the definitions of the schedules."""
    betas = scheduled(beta_schedule="sigmoid", num_train_timesteps=3).betas
    np.testing.assert_allclose(betas[1], (1e-4 + 0.02) / 2)
    np.testing.assert_allclose(betas[2], 1e-4 + 0.0199 / (1 + np.exp(-6)))
    table = [0.1, 0.2, 0.4]
    np.testing.assert_array_equal(scheduled(trained_betas=table).betas, table)
    free = scheduled(trained_betas=table, rescale_betas_zero_snr=True)
    assert free.signal_free
    np.testing.assert_allclose(free.betas[[0, -1]], [0.1, 1.0])
    assert len(scheduled(num_train_timesteps=37).betas) == 37


def test_flow_matching_of_diffusers():
    flow = scheduled(
        _class_name="FlowMatchEulerDiscreteScheduler", shift=3.0, num_train_timesteps=500
    )
    assert flow.get_config() == sdes.RectifiedFlow(3.0, 0.0, 1 / 500, 500.0).get_config()
    np.testing.assert_allclose(flow.time_label(0.5), 500 * 3 * 0.5 / 2)
    solver = scheduled(
        _class_name="UniPCMultistepScheduler",
        prediction_type="flow_prediction",
        flow_shift=3.0,
        num_train_timesteps=500,
    )
    assert solver.get_config() == flow.get_config()
    meaning = BY_NAME["diffusers"].meaning(
        Checkpoint({}, {}, {"_class_name": "FlowMatchEulerDiscreteScheduler"})
    )
    assert meaning.prediction == "flow"


@pytest.mark.parametrize(
    ("scheduler", "message"),
    [
        ({"beta_schedule": "laplace"}, "`beta_schedule` .* must be linear, .* 'laplace'"),
        ({"num_train_timesteps": 10**12}, "`num_train_timesteps` .* must be an integer from 1 to"),
        ({"num_train_timesteps": "7"}, "`num_train_timesteps` .* received '7'"),
        (
            {"_class_name": "EDMEulerScheduler", "sigma_max": 80.0},
            "must have betas or be one of flow matching, received EDMEulerScheduler",
        ),
        ({"beta_start": "a"}, "`beta_start` of the scheduler must be a number, received 'a'"),
        ({"trained_betas": ["x"]}, "`trained_betas` of the scheduler must be a number"),
        (
            {"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": None},
            "`shift` of the scheduler must be a number, received None",
        ),
        ({"trained_betas": [0.1, 2.0]}, r"`betas` must be in \(0, 1\)"),
        (
            {"_class_name": "FlowMatchEulerDiscreteScheduler", "use_dynamic_shifting": True},
            "`use_dynamic_shifting` of the scheduler must be false",
        ),
    ],
)
def test_schedules_that_are_refused(scheduler, message):
    with pytest.raises(ValueError, match=message):
        scheduled(**scheduler)
