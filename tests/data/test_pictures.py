import numpy as np
import pytest
from PIL import Image, ImageSequence

from gddim_tf.data.pictures import save_comparison, save_gif, save_grid, save_strip


def flat(*levels, side=8, channels=1):
    """One image of one level each."""
    levels = np.array(levels, np.uint8)
    return np.tile(levels[:, None, None, None], (1, side, side, channels))


def read(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def test_grid_lies_row_by_row_and_pixels_are_enlarged(tmp_path):
    images = flat(10, 20, 30, 40, 50)
    images[1, 0, 0, 0] = 99
    save_grid(images, tmp_path / "grid.png", columns=3, scale=2)
    grid = read(tmp_path / "grid.png")
    assert grid.shape == (2 * 16 + 2, 3 * 16 + 2 * 2, 3)
    tops, lefts = (0, 18), (0, 18, 36)
    corners = [[int(grid[top + 5, left + 5, 0]) for left in lefts] for top in tops]
    assert corners == [[10, 20, 30], [40, 50, 255]]
    assert grid[0:3, 18:21, 2].tolist() == [[99, 99, 20], [99, 99, 20], [20, 20, 20]]
    assert (grid[16:18] == 255).all()


def test_small_images_are_enlarged_and_large_ones_are_not(tmp_path):
    for side, scale in ((8, 6), (32, 1), (64, 1)):
        save_grid(flat(0, 1, 2, 3, side=side), tmp_path / "grid.png")
        assert read(tmp_path / "grid.png").shape == (2 * side * scale + 2, 2 * side * scale + 2, 3)


def test_colours_survive(tmp_path):
    image = np.zeros((1, 2, 2, 3), np.uint8)
    image[0, 0, 1] = 255, 128, 7
    save_grid(image, tmp_path / "grid.png", scale=1)
    np.testing.assert_array_equal(read(tmp_path / "grid.png"), image[0])


def test_comparison_has_titled_panels_side_by_side(tmp_path):
    save_comparison(
        flat(50, 50, 50), flat(90, 90, 90, 90, 90, 90), tmp_path / "both.png", columns=3, scale=4
    )
    both = read(tmp_path / "both.png")
    panel = 3 * 32 + 2 * 2
    assert both.shape == (24 + 2 * 32 + 2, 2 * panel + 16, 3)
    assert (both[24 : 24 + 32, :32] == 50).all()
    assert (both[24 : 24 + 32, panel + 16 : panel + 48] == 90).all()
    assert (both[24 + 34 :, :panel] == 255).all()
    titles = both[:24]
    assert titles[:, :panel].min() < 128
    assert titles[:, panel + 16 :].min() < 128


def test_long_titles_widen_the_panel(tmp_path):
    save_comparison(
        flat(50), flat(90), tmp_path / "both.png", scale=1, titles=("a rather long title", "b")
    )
    both = read(tmp_path / "both.png")
    assert both.shape[1] > 80
    assert (both[24:32, -8:] != 90).any() and (both == 90).all(axis=-1).sum() == 64


def test_strip_runs_through_time_from_left_to_right(tmp_path):
    states = np.stack([flat(10, 110), flat(20, 120), flat(30, 130)])
    save_strip(states, tmp_path / "strip.png", scale=1)
    strip = read(tmp_path / "strip.png")
    assert strip.shape == (18, 28, 3)
    assert strip[4, [4, 14, 24], 0].tolist() == [10, 20, 30]
    assert strip[14, [4, 14, 24], 0].tolist() == [110, 120, 130]


def test_gif_shows_every_step_and_rests_on_the_last(tmp_path):
    states = np.stack([flat(10, 110), flat(20, 120), flat(30, 130)])
    save_gif(states, tmp_path / "path.gif", columns=2, scale=1, milliseconds=50)
    with Image.open(tmp_path / "path.gif") as animation:
        frames = [
            (np.asarray(frame.convert("RGB")), frame.info["duration"])
            for frame in ImageSequence.Iterator(animation)
        ]
    assert [frame[4, [4, 14], 0].tolist() for frame, _ in frames] == [
        [10, 110],
        [20, 120],
        [30, 130],
    ]
    assert [duration for _, duration in frames] == [50, 50, 1000]


NAN = np.where(np.arange(64).reshape(1, 8, 8, 1) == 5, np.nan, 0.0)


@pytest.mark.parametrize(
    ("write", "error", "message"),
    [
        (lambda path: save_grid(NAN, path), ValueError, "`images` must be finite.*1 pixels"),
        (lambda path: save_comparison(NAN, flat(1), path), ValueError, "`real` must be finite"),
        (lambda path: save_comparison(flat(1), NAN, path), ValueError, "`generated` must be fin"),
        (lambda path: save_strip(NAN[None], path), ValueError, "`states` must be finite"),
        (lambda path: save_gif(NAN[None], path), ValueError, "`states` must be finite"),
        (lambda path: save_grid(flat(1).astype(int), path), TypeError, "`images` .*int64"),
        (lambda path: save_grid(flat(1)[0], path), ValueError, r"`images` must have .*\(8, 8, 1\)"),
        (lambda path: save_grid(flat(1, channels=2), path), ValueError, "`images` must have shape"),
        (lambda path: save_grid(flat(), path), ValueError, r"`images` must have .*\(0, 8, 8, 1\)"),
        (lambda path: save_strip(flat(1), path), ValueError, r"`states` must have .*steps"),
        (lambda path: save_grid(flat(1), path, columns=0), ValueError, "`columns` .* received 0"),
        (lambda path: save_grid(flat(1), path, scale=0), ValueError, "`scale` .* received 0"),
    ],
)
def test_bad_images_are_refused_by_name_and_nothing_is_written(tmp_path, write, error, message):
    with pytest.raises(error, match=message):
        write(tmp_path / "picture.png")
    assert list(tmp_path.iterdir()) == []
