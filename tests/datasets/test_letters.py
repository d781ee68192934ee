import numpy as np
import pytest

from vitkeras.datasets import drawn, folder, glyphs, letters
from vitkeras.errors import Misuse


@pytest.fixture(scope="module")
def data():
    return letters.load()


@pytest.fixture(scope="module")
def few():
    return letters.load(train=23, test=15, seed=1)


def test_letters_have_the_form_of_mnist(data):
    assert (data.name, data.title) == ("letters", "drawn letters (A to J)")
    assert data.x_train.shape == (200, 28, 28, 1)
    assert data.x_test.shape == (1000, 28, 28, 1)
    assert data.x_train.dtype == data.x_test.dtype == "uint8"
    assert data.y_train.dtype == data.y_test.dtype == "int32"
    assert data.class_names == tuple("ABCDEFGHIJ")
    assert "seed 0" in data.origin
    assert "\n" not in data.origin


def test_all_letters_are_equally_frequent_and_mixed(data):
    np.testing.assert_array_equal(np.bincount(data.y_train), [20] * 10)
    np.testing.assert_array_equal(np.bincount(data.y_test), [100] * 10)
    assert np.bincount(data.y_test[:100]).max() < 30


def test_ink_is_white_on_black(data):
    assert data.x_train.max(axis=(1, 2)).min() > 100
    assert (data.x_train < 64).mean() > 0.7


def test_labels_name_what_is_drawn():
    """The average of many drawings of a letter looks like the fonts' letter of that name, more than like any other."""
    average = np.stack(
        [drawn.draw([letter] * 200, np.random.default_rng(0), letters.LETTERS).mean(axis=0) for letter in range(10)]
    )
    margin = (glyphs.SHEET - glyphs.SIDE) // 2 * glyphs.CELLS
    fonts = (glyphs.distance_maps(letters.LETTERS) > 0).mean(axis=0)[:, margin:-margin, margin:-margin]  # (10, 56, 56)
    fonts = fonts.reshape(10, 28, 2, 28, 2).mean(axis=(2, 4))
    likeness = np.corrcoef(average.reshape(10, -1), fonts.reshape(10, -1))[:10, 10:]
    np.testing.assert_array_equal(likeness.argmax(axis=1), np.arange(10))


def test_every_font_has_letters_that_differ_and_fit_on_the_sheet():
    ink = glyphs.distance_maps(letters.LETTERS) > 0
    for font, drawings in zip(glyphs.FONTS, ink, strict=True):
        differ = (drawings[:, None] != drawings).sum(axis=(2, 3)) / drawings.sum(axis=(1, 2))  # (10, 10)
        np.fill_diagonal(differ, 1)
        assert differ.min() > 0.1, font
    margin = glyphs.REACH * glyphs.CELLS // 2
    border = np.ones(ink.shape[2:], bool)
    border[margin:-margin, margin:-margin] = False
    assert not ink[..., border].any()


def test_letters_are_not_digits(data):
    digits = drawn.load(train=200, test=1000, seed=0)
    assert not np.array_equal(data.x_train, digits.x_train)


def test_seed_alone_says_what_is_drawn(few):
    again, other = letters.load(train=23, test=15, seed=1), letters.load(train=23, test=15, seed=2)
    assert few.fingerprint() == again.fingerprint() != other.fingerprint()
    np.testing.assert_array_equal(letters.load(train=40, test=15, seed=1).x_test, few.x_test)


@pytest.mark.parametrize("settings", [{"train": 0}, {"test": -1}, {"train": 2.5}, {"seed": -1}])
def test_impossible_sizes_and_seeds_are_refused(settings):
    with pytest.raises(Misuse, match="Received"):
        letters.load(**settings)


def test_waiting_is_announced_only_where_there_is_waiting(monkeypatch):
    said = []
    letters.load(train=10, test=10, progress=said.append)
    assert said == []
    monkeypatch.setattr(drawn, "draw_balanced", lambda count, *_: (np.zeros((count, 28, 28, 1), "uint8"), [0] * count))
    letters.load(train=5001, progress=said.append)
    assert len(said) == 1


# Written as files


def test_what_is_written_is_read_back_equal(few, tmp_path):
    letters.write(tmp_path / "letters", few)
    back = folder.load(tmp_path / "letters", side=28, channels=1)
    assert back.class_names == few.class_names
    assert back.warning == ""
    for part in "train", "test":
        assert labelled(back, part) == labelled(few, part)


def labelled(data, part):
    """The images in an order of their own, each with its label."""
    images, labels = getattr(data, f"x_{part}"), getattr(data, f"y_{part}")
    return sorted((image.tobytes(), int(label)) for image, label in zip(images, labels, strict=True))


def test_files_lie_in_class_folders_and_are_numbered(few, tmp_path):
    letters.write(tmp_path / "deep" / "letters", few)
    assert sorted(path.name for path in (tmp_path / "deep" / "letters" / "train" / "A").iterdir())[0] == "0001.png"
    assert len(list((tmp_path / "deep" / "letters" / "test").glob("?/*.png"))) == 15


def test_folder_that_is_there_is_left_alone(few, tmp_path):
    with pytest.raises(Misuse, match="is there already"):
        letters.write(tmp_path, few)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_writing_that_fails_leaves_nothing(few, tmp_path, monkeypatch, fault):
    calls = []

    def write_half(self, path, **_):
        path.write_bytes(b"...")
        calls.append(path)
        if len(calls) == 5:
            raise fault

    monkeypatch.setattr("PIL.Image.Image.save", write_half)
    with pytest.raises(BaseException, match="No space left|^$"):
        letters.write(tmp_path / "letters", few)
    assert len(calls) == 5
    assert list(tmp_path.iterdir()) == []
