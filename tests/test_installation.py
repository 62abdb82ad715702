import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

from setuptools import build_meta

import gddim_tf

CLONE = pathlib.Path(__file__).parent.parent


def test_an_editable_install_works_from_the_folder_that_holds_the_clone(tmp_path, monkeypatch):
    clone = tmp_path / "gddim_tf"
    shutil.copytree(
        CLONE / "gddim_tf", clone / "gddim_tf", ignore=shutil.ignore_patterns("*.keras")
    )
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(CLONE / name, clone)
    monkeypatch.chdir(clone)
    # what `pip install -e .` does, without a network
    wheel = build_meta.build_editable(str(tmp_path))
    site = tmp_path / "site"
    with zipfile.ZipFile(tmp_path / wheel) as archive:
        archive.extractall(site)
    code = (
        f"import site; site.addsitedir({str(site)!r}); "
        "import gddim_tf; print(gddim_tf.__version__, gddim_tf.__file__)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    told = subprocess.run(
        [sys._base_executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == [
        gddim_tf.__version__,
        str(clone / "gddim_tf" / "__init__.py"),
    ]
