import contextlib
import io
import json
import warnings

import numpy as np
import pytest
import tensorflow as tf

from gddim_tf import cli, data, load
from gddim_tf.numerics.image_noise import image_seeds
from gddim_tf.samplers import Tuned
from tests.conftest import own_model

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    """A run whose model `gddim-tf tune` was let loose on."""
    folder = tmp_path_factory.mktemp("run")
    own_model().save(folder / "model.keras")
    options = ["--nfe", "2,3", "--count", "32", "--out", str(folder / "tuned"), "--json"]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert tune(folder, *options) == 0
    (folder / "printed.json").write_text(printed.getvalue())
    return folder


def tune(model, *options):
    return cli.main(["tune", "--model", str(model), *options])


def refused(model, capsys, *options):
    """The one sentence with which a run of the command ends."""
    assert tune(model, "--out", str(model / "refused"), *options) == 2
    *_, told = capsys.readouterr().err.strip().splitlines()
    assert not (model / "refused").exists()
    return told


def test_it_writes_tables_a_report_and_a_picture(run_folder):
    written = {path.name for path in (run_folder / "tuned").iterdir()}
    assert written == {"nfe_2.npz", "nfe_3.npz", "report.md", "images.png"}
    records = [fitted.record for fitted in Tuned.load(run_folder / "tuned").budgets.values()]
    told = json.loads((run_folder / "printed.json").read_text())
    assert told == {"out": str(run_folder / "tuned"), "budgets": records}
    report = (run_folder / "tuned" / "report.md").read_text()
    for record in records:
        assert f"| {record['nfe']} | {record['error_before']:.4f} |" in report
        assert {"weights", "sde", "guidance", "seed", "teacher", "grid", "ridge"} <= set(record)


def test_sample_takes_the_tables_and_tells_of_those_of_a_run(run_folder, tmp_path, capsys):
    command = ["sample", "--model", str(run_folder), "--count", "4", "--nfe", "3"]
    array = ["--out", str(tmp_path / "a.png"), "--array", str(tmp_path / "a.npy")]
    assert cli.main([*command, *array]) == 0
    hint = f"by default; tuned tables: --sampler tuned:{run_folder}/tuned for few evaluations"
    assert hint in capsys.readouterr().out
    plain = np.load(tmp_path / "a.npy")
    assert cli.main([*command, *array, "--sampler", f"tuned:{run_folder}/tuned"]) == 0
    assert "tuned tables" not in capsys.readouterr().out
    assert np.any(np.load(tmp_path / "a.npy") != plain)


def test_an_export_samples_as_the_tables_do_and_can_be_tuned_itself(run_folder, tmp_path):
    model, tuned = load(run_folder), f"tuned:{run_folder}/tuned"
    out = str(tmp_path / "served")
    export = ["export", "--model", str(run_folder), "--out", out, "--sampler", tuned]
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        assert cli.main([*export, "--nfe", "2,3", "--batch-sizes", "1"]) == 0
    graph = tf.saved_model.load(str(load(out).folder)).signatures["sample_3"]
    images = graph(seed=image_seeds(0, 0, 3))["image"].numpy()
    expected = data.to_uint8(tf.constant(model.sample(3, sampler=tuned, nfe=3))).numpy()
    assert np.abs(images.astype(int) - expected).max() <= 1
    assert tune(out, "--nfe", "2", "--count", "32", "--out", str(tmp_path / "again")) == 0
    again, first = (Tuned.load(path).budgets[2] for path in (tmp_path / "again", tuned[6:]))
    assert again.record["weights"] == first.record["weights"]
    np.testing.assert_allclose(again.table.state, first.table.state, rtol=1e-3)


def test_evaluate_measures_them_beside_others(run_folder, tmp_path, capsys):
    samplers = f"default; tuned:{run_folder}/tuned"
    options = ["--nfe", "3", "--count", "9", "--samplers", samplers, "--out", str(tmp_path)]
    assert cli.main(["evaluate", "--model", str(run_folder), *options]) == 0
    printed = capsys.readouterr().out
    assert "| default, " in printed
    assert "| Tuned(" in printed


def test_bad_input_is_one_sentence(run_folder, capsys):
    told = refused(run_folder, capsys, "--nfe", "40")
    assert "`nfe` must be at most 30, half of the teacher's evaluations, received 40" in told
    told = refused(run_folder, capsys, "--nfe", "2", "--count", "12")
    assert "`count` must be a multiple of 4 and at least 32, received 12" in told
    told = refused(run_folder, capsys, "--nfe", "2", "--guidance", "2")
    assert "`guidance` needs a model with classes" in told
    told = refused(run_folder, capsys, "--nfe", "2", "--labels", "1")
    assert "`labels` must be None for a model without classes" in told
    told = refused(run_folder, capsys, "--nfe", "2", "--batch-size", "0")
    assert "`batch_size` must be at least 1, received 0" in told


def test_a_network_that_fails_is_one_sentence(tmp_path, capsys):
    model = own_model()
    model.network.out.bias.assign([np.nan])
    model.save(tmp_path / "model.keras")
    told = refused(tmp_path, capsys, "--nfe", "2", "--count", "32")
    assert "the network must return finite values, received NaN or Inf at t = 1" in told


def test_a_damaged_file_or_another_budget_is_one_sentence(run_folder, tmp_path, capsys):
    file = tmp_path / "nfe_3.npz"
    file.write_bytes((run_folder / "tuned" / "nfe_3.npz").read_bytes()[:-100])
    command = ["sample", "--model", str(run_folder), "--count", "1", "--nfe", "3", "--sampler"]
    assert cli.main([*command, f"tuned:{file}"]) == 2
    assert "must be a file of a tuned table, and is damaged" in capsys.readouterr().err
    assert cli.main([*command, f"tuned:{run_folder}/tuned", "--nfe", "5"]) == 2
    told = capsys.readouterr().err
    assert "`nfe` must be 2, 3 for this tuned sampler, received 5" in told
    assert "Traceback" not in told


def test_other_weights_are_warned_of(run_folder, tmp_path):
    other = own_model()
    other.network.out.bias.assign([0.1])
    other.save(tmp_path / "model.keras")
    options = ["--nfe", "3", "--sampler", f"tuned:{run_folder}/tuned", "--model", str(tmp_path)]
    for command in (
        ["sample", "--count", "1", "--out", str(tmp_path / "a.png")],
        ["export", "--batch-sizes", "1", "--out", str(tmp_path / "served")],
    ):
        with pytest.warns(UserWarning, match="the sampler was tuned for the weights"):
            assert cli.main([*command, *options]) == 0
