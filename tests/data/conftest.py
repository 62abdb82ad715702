import pytest

from gddim_tf import data


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory):
    """A folder in which the sets that need no network are prepared."""
    folder = tmp_path_factory.mktemp("tfds")
    for name in ("digits", "photo_patches"):
        data.prepare(name, folder)
    return folder
