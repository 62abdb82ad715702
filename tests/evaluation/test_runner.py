import numpy as np
import pytest

from gddim_tf.data.pixels import as_uint8
from gddim_tf.evaluation import measures
from gddim_tf.evaluation.runner import Runner
from gddim_tf.models.generation import Job
from gddim_tf.samplers import DDIM, GDDIM, RK45, ListGrid
from tests.conftest import own_model

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")


@pytest.fixture(scope="module")
def model():
    return own_model()


def images(folder):
    (path,) = folder.glob("images/*/000000.npz")
    return np.load(path)["images"].astype(int)


def test_what_is_finished_is_not_made_again(model, reference, tmp_path):
    runner, job = Runner(model, reference, tmp_path, progress=False), Job(DDIM(), 3, 20, seed=4)
    assert runner.finished(job) is None
    result = runner.run(job)
    expected = as_uint8(model.sample(20, DDIM(), 3, seed=4)).astype(int)
    assert np.abs(images(tmp_path) - expected).max() <= 1
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    again = Runner(model, reference, tmp_path, progress=False)
    assert again.run(job) == again.finished(job) == result
    assert {path: path.stat().st_mtime_ns for path in files} == files


@pytest.mark.parametrize(
    ("old", "new"),
    [('"frechet": ', '"frechet": 0'), ("{", "["), ('"sha256"', '"sha255"'), ("", "")],
)
def test_a_result_that_was_changed_is_measured_again(model, reference, tmp_path, old, new):
    runner, job = Runner(model, reference, tmp_path, progress=False), Job(DDIM(), 1, 20)
    result = runner.run(job)
    (file,) = tmp_path.glob("measured/*.json")
    file.write_text(file.read_text().replace(old, new) if old else "")
    with pytest.warns(UserWarning, match=r"\.json is damaged and measured again"):
        assert runner.run(job) == result
    assert runner.finished(job) == result


def test_a_new_measure_is_taken_of_the_images_that_are_there(
    model, reference, tmp_path, monkeypatch
):
    runner, job = Runner(model, reference, tmp_path, progress=False), Job(DDIM(), 1, 20)
    before = runner.run(job)
    count = measures.Measure("count", "images", "d", lambda seen: seen.statistics.count)
    with monkeypatch.context() as patch:
        for module in ("measures", "runner"):
            name = f"gddim_tf.evaluation.{module}.MEASURES"
            patch.setattr(name, (*measures.MEASURES, count))
        patch.setattr("gddim_tf.models.generation.draw", None)  # nothing is drawn
        after = runner.run(job)
    assert after.measures == {**before.measures, "count": 20}
    assert after.seconds == before.seconds


def test_as_many_images_of_each_class(conditional_model, reference, tmp_path):
    runner = Runner(conditional_model, reference, tmp_path, batch_size=5, workers=2, progress=False)
    runner.run(Job(DDIM(), 1, 13))
    expected = as_uint8(conditional_model.sample(13, DDIM(), 1, labels=np.arange(13) % 10))
    assert np.abs(images(tmp_path) - expected.astype(int)).max() <= 1


def test_divergence_is_a_result(model, reference, tmp_path):
    class Diverging(type(model)):
        def eps(self, u, t, labels=None):
            return u / 0.0

    broken = Diverging(model.network, model.sde, "v")
    runner = Runner(broken, reference, tmp_path, progress=False)
    result = runner.run(Job(DDIM(), 2, 4))
    assert (result.failed, result.spent, result.measures) == ("diverged", 2, {})
    assert runner.finished(Job(DDIM(), 2, 4)) == result
    assert result.markdown().startswith("| DDIM | 2 | 4 | diverged |")
    result = Runner(model, reference, tmp_path / "b", progress=False).run(
        Job(RK45(rtol=1e-6, atol=1e-6, max_steps=2), 5, 4)
    )
    assert (result.failed, result.spent) == ("too many steps", 5)


def test_rk45_reports_what_it_spent(model, reference, tmp_path):
    solver = RK45(rtol=1.0, atol=1.0)
    result = Runner(model, reference, tmp_path, progress=False).run(Job(solver, 20, 4))
    assert result.nfe == 20
    assert 10 < result.spent < 40
    assert images(tmp_path).shape == (4, 8, 8, 1)


def test_every_job_has_a_folder_of_its_own():
    grids = [ListGrid(tuple(np.linspace(1.0, end, 300))) for end in (0.1, 0.2)]
    jobs = [
        *(Job(GDDIM(grid=grid), 10, 4) for grid in grids),
        Job(DDIM(), 10, 4),
        Job(DDIM(), 11, 4),
        Job(DDIM(), 10, 4, seed=1),
        Job(DDIM(), 10, 4, guidance=2.0),
        Job(RK45(), 10, 4),
        Job(RK45(rtol=0.1), 10, 4),
    ]
    assert len({job.name for job in jobs}) == len(jobs)
    assert max(len(job.name) for job in jobs) < 120
    assert Job(DDIM(), 10, 4).name == Job(DDIM(), 10, 8).name  # images are shared
    assert Job(RK45(), 10, 4).name == Job(RK45(), 20, 4).name
