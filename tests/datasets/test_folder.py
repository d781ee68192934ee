import numpy as np
import pytest
from PIL import Image

from vitkeras import photos
from vitkeras.datasets import folder
from vitkeras.errors import Misuse, Problem


def silent(text):
    raise AssertionError(f"a small folder needs no message: {text}")


def load(path, side=8, progress=silent, **settings):
    return folder.load(path, side, progress=progress, **settings)


def picture(number, size=(12, 10)):
    return np.random.default_rng(number).integers(0, 256, (*size, 3), dtype="uint8")


def put(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def birds(tmp_path):
    """Two classes of ten photos, no two of them alike."""
    for label, name in enumerate(["wren", "robin"]):
        for number in range(10):
            put(tmp_path / "birds" / name / f"{number}.png", picture(100 * label + number))
    return tmp_path / "birds"


@pytest.fixture
def parted(tmp_path):
    """The same in the other form: six photos to learn from and four to test, of each class."""
    for label, name in enumerate(["wren", "robin"]):
        for number in range(10):
            part = "train" if number < 6 else "test"
            put(tmp_path / "parted" / part / name / f"{number}.png", picture(100 * label + number))
    return tmp_path / "parted"


def pictures(images):
    return {image.tobytes() for image in images}


def same(one, other):
    return one.fingerprint() == other.fingerprint()


# What a data set of photos is


def test_it_has_the_form_of_every_data_set(birds):
    data = load(birds)
    assert (data.name, data.title) == ("folder", "birds (your photos)")
    assert data.class_names == ("robin", "wren")
    assert data.x_train.shape == (16, 8, 8, 3)
    assert data.x_test.shape == (4, 8, 8, 3)
    assert data.x_train.dtype == data.x_test.dtype == "uint8"
    assert data.y_train.dtype == data.y_test.dtype == "int32"
    assert str(birds) in data.origin
    assert "seed 0" in data.origin
    assert "\n" not in data.origin
    assert data.warning == ""


def test_labels_name_the_folder_that_a_photo_came_from(birds):
    data = load(birds, side=10)
    images, labels = np.concatenate([data.x_train, data.x_test]), np.concatenate([data.y_train, data.y_test])
    robins = {np.ascontiguousarray(picture(100 + number)[1:11]).tobytes() for number in range(10)}  # the middle squares
    assert pictures(images[labels == data.class_names.index("robin")]) == robins


def test_parts_are_those_of_the_folders_if_there_are_two(parted):
    data = load(parted, side=10)
    np.testing.assert_array_equal(np.bincount(data.y_train), [6, 6])
    np.testing.assert_array_equal(np.bincount(data.y_test), [4, 4])
    assert np.ascontiguousarray(picture(6)[1:11]).tobytes() in pictures(data.x_test)
    assert data.warning == ""


@pytest.mark.parametrize("name", ["val", "Valid", "validation"])
def test_test_part_may_be_called_validation(parted, name):
    before = load(parted)
    (parted / "test").rename(parted / name)
    assert same(load(parted), before)


def test_middle_square_is_taken_and_made_smaller(tmp_path):
    wide = np.zeros((16, 40, 3), "uint8")
    wide[:, 12:28] = [200, 100, 0]
    for number in range(4):
        wide[0, 0] = number  # in a corner that is cut off
        put(tmp_path / "ab"[number % 2] / f"{number}.png", wide)
    data = load(tmp_path, side=4)
    assert (data.x_train == [200, 100, 0]).all()


def test_grey_images_have_one_channel(birds):
    data = load(birds, channels=1)
    assert data.x_train.shape == (16, 8, 8, 1)


def test_classes_are_in_natural_order(tmp_path):
    for label, name in enumerate(["class 10", "class 2"]):
        for number in range(2):
            put(tmp_path / name / f"{number}.png", picture(10 * label + number))
    assert load(tmp_path).class_names == ("class 2", "class 10")


# Chance


def test_each_class_gives_its_share_to_the_test(birds):
    data = load(birds, test_share=0.3)
    np.testing.assert_array_equal(np.bincount(data.y_train), [7, 7])
    np.testing.assert_array_equal(np.bincount(data.y_test), [3, 3])
    for share in 0.001, 0.999:
        data = load(birds, test_share=share)
        assert min(*np.bincount(data.y_train), *np.bincount(data.y_test)) == 1


def test_no_photo_is_in_both_parts_and_none_is_lost(birds):
    data = load(birds)
    assert len(pictures(data.x_train) | pictures(data.x_test)) == 20


def test_same_seed_chooses_the_same_and_another_seed_others(birds):
    assert same(load(birds), load(birds))
    assert not same(load(birds), load(birds, seed=1))
    assert pictures(load(birds).x_test) != pictures(load(birds, seed=1).x_test)


def test_names_and_places_of_the_files_do_not_matter(birds, tmp_path):
    before = load(birds)
    for number, path in enumerate(sorted(birds.glob("*/*.png"))):
        path.rename(path.with_name(f"renamed {97 * number % 20}.png"))
    birds.rename(tmp_path / "elsewhere")
    assert same(load(tmp_path / "elsewhere"), before)


def test_classes_are_mixed(birds):
    labels = load(birds).y_train
    assert np.count_nonzero(np.diff(labels)) > 1


# Folders in another form


def test_missing_folder_and_file_are_refused(birds):
    with pytest.raises(Misuse, match="is not there"):
        load(birds / "nowhere")
    with pytest.raises(Misuse, match="is a file"):
        load(birds / "wren" / "0.png")


def test_folder_without_class_folders_is_refused_and_the_form_is_shown(birds, tmp_path):
    for path in tmp_path / "birds" / "wren", tmp_path / "new":
        path.mkdir(exist_ok=True)
        with pytest.raises(Misuse, match="FOLDER/cat/1.jpg"):
            load(path)


def test_one_class_is_refused_and_a_level_too_high_is_noticed(birds, tmp_path):
    with pytest.raises(Misuse, match=f"one class only, birds.*Was {birds} meant"):
        load(tmp_path)


def test_empty_class_is_refused_and_named(birds):
    (birds / "tit").mkdir()
    (birds / "tit" / "1.heic").touch()
    with pytest.raises(Misuse, match=r"tit has no images \(.heic: 1\)"):
        load(birds)


def test_parts_with_other_classes_are_refused(parted):
    put(parted / "test" / "tit" / "1.png", picture(999))
    with pytest.raises(Misuse, match="train has no folder for tit"):
        load(parted)
    (parted / "test" / "tit").rename(parted / "train" / "owl")
    with pytest.raises(Misuse, match="test has no folder for owl"):
        load(parted)


@pytest.mark.parametrize(("gone", "kept"), [("test", "train"), ("train", "test")])
def test_one_part_without_the_other_is_refused(parted, gone, kept):
    (parted / gone).rename(parted.parent / "away")
    with pytest.raises(Misuse, match=f"has a folder {kept}, but no folder {gone}"):
        load(parted)


def test_trains_may_be_a_class(birds):
    (birds / "wren").rename(birds / "train")
    assert load(birds).class_names == ("robin", "train")


def test_class_with_one_photo_is_refused(birds):
    put(birds / "tit" / "1.png", picture(999))
    with pytest.raises(Misuse, match="class tit has too few photos"):
        load(birds)


@pytest.mark.parametrize(
    "settings", [{"side": 0}, {"side": 2.5}, {"channels": 2}, {"test_share": 0}, {"test_share": 1}, {"seed": -1}]
)
def test_impossible_settings_are_refused(birds, settings):
    with pytest.raises(Misuse, match="Received"):
        load(birds, **settings)


def test_more_than_memory_holds_is_refused_with_a_side_that_fits(birds, monkeypatch):
    monkeypatch.setattr(folder, "MOST_BYTES", 20 * 16 * 16 * 3)
    with pytest.raises(Misuse, match="Take a side of 16 or less"):
        load(birds, side=17)
    load(birds, side=16)


# What is left out


def test_broken_photos_are_left_out_and_named(birds):
    before = load(birds)
    for number in range(13):
        (birds / "wren" / f"broken{number}.jpg").write_bytes(b"no image %d" % number)
    data = load(birds)
    assert same(data, before)
    assert "13 photos that could not be read, left out: wren/broken0.jpg, " in data.warning.replace("\\", "/")
    assert "broken9.jpg and 3 more." in data.warning
    assert "broken10" not in data.warning


def test_class_of_broken_photos_is_refused_with_the_reason(birds):
    for path in (birds / "wren").iterdir():
        path.write_bytes(b"")
    with pytest.raises(Misuse, match=r"class wren has too few.*10 cannot be read; the first: .*0.png is empty"):
        load(birds)


def test_picture_in_both_parts_is_taken_out_of_the_training(parted):
    put(parted / "train" / "wren" / "leak.bmp", picture(7))
    assert same(load(parted), load_without(parted / "train" / "wren" / "leak.bmp", parted))
    warning = load(parted).warning.replace("\\", "/")
    assert "1 photo taken out of the training part" in warning
    assert "train/wren/leak.bmp" in warning


def load_without(path, root):
    content = path.read_bytes()
    path.unlink()
    data = load(root)
    path.write_bytes(content)
    return data


def test_picture_that_is_twice_in_a_class_is_kept_once(birds):
    before = load(birds)
    put(birds / "wren" / "copy.png", picture(3))
    put(birds / "wren" / "other format.bmp", picture(4))
    data = load(birds)
    assert len(data.y_train) + len(data.y_test) == 20
    assert pictures(data.x_test) | pictures(data.x_train) == pictures(before.x_test) | pictures(before.x_train)
    assert "2 photos left out, since the class has the same picture already" in data.warning
    assert "copy.png" in data.warning


def test_picture_in_two_classes_is_left_out_of_both(birds):
    put(birds / "robin" / "wren.png", picture(3))
    data = load(birds)
    assert len(data.y_train) + len(data.y_test) == 19
    assert "2 photos of a picture that is in two classes, left out" in data.warning
    assert "wren.png" in data.warning
    assert "3.png" in data.warning


def test_other_files_are_counted_and_hidden_ones_are_not(birds):
    before = load(birds)
    for name in "wren/1.heic", "wren/2.HEIC", "wren/notes", "robin/.hidden.jpg", ".DS_Store", "loose.png", "list.csv":
        (birds / name).touch()
    (birds / "robin" / "more").mkdir()
    data = load(birds)
    assert same(data, before)
    for told in ".heic: 2", "without a suffix: 1", "folder: 1", "images outside of the class folders: 1", ".csv: 1":
        assert told in data.warning
    assert "hidden" not in data.warning
    assert "DS_Store" not in data.warning


def test_second_test_folder_is_left_aside_and_told(parted):
    (parted / "val").mkdir()
    assert "folder: 1" in load(parted).warning


def test_folder_that_may_not_be_entered_is_told(birds, monkeypatch):
    def forbidden(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.listdir", forbidden)  # for root there is no other way
    with pytest.raises(Problem, match="cannot be looked into: Permission denied"):
        load(birds)


# Waiting


def test_waiting_is_announced_and_counted(birds, monkeypatch):
    monkeypatch.setattr(folder, "MANY", 5)
    monkeypatch.setattr(folder, "STEP", 8)
    said = []
    load(birds, progress=said.append)
    assert said == ["reading 20 photos ...", "  8 of 20", "  16 of 20"]


def test_unforeseen_fault_ends_the_reading(birds, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(photos, "decode", fail)
    with pytest.raises(ZeroDivisionError):
        load(birds)
