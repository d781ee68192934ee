import io
import os
import socket
import struct
import threading
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from vitkeras import photos
from vitkeras.errors import Misuse
from vitkeras.photos import Unreadable

COLOURS = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype="uint8")
CORNERS = np.zeros((32, 48, 3), "uint8")  # red, green, blue and black quarters, so that turns show
CORNERS[:16, :24, 0] = CORNERS[:16, 24:, 1] = CORNERS[16:, :24, 2] = 255


def saved(image, kind, **settings):
    stream = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(stream, kind, **settings)
    return stream.getvalue()


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width, height, *chunks, bits=8, colour_type=2, pixels=b""):
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    body = [chunk(b"IHDR", header), *chunks, chunk(b"IDAT", zlib.compress(pixels)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def refused(source):
    """What is said of it: one line, whatever it is."""
    with pytest.raises(Unreadable) as caught:
        photos.read(source)
    text = str(caught.value)
    assert "\n" not in text
    text.encode()  # no surrogates
    assert text.endswith((".", "pull"))
    return text


# Every way in which an image comes


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_lossless_images_keep_their_pixels(kind):
    pixels = photos.read(saved(COLOURS, kind))
    np.testing.assert_array_equal(pixels, COLOURS)
    assert pixels.dtype == "uint8"
    assert pixels.flags.writeable


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF", "GIF", "MPO"])
def test_lossy_images_keep_their_colours(kind):
    if kind == "AVIF" and "AVIF" not in Image.SAVE:
        pytest.skip("this Pillow cannot write AVIF")
    np.testing.assert_allclose(photos.read(saved(CORNERS, kind))[4::24, 6::36], CORNERS[4::24, 6::36], atol=12)


def test_paths_and_bytes_are_read_alike(tmp_path):
    (tmp_path / "photo.png").write_bytes(saved(COLOURS, "PNG"))
    np.testing.assert_array_equal(photos.read(tmp_path / "photo.png"), COLOURS)
    np.testing.assert_array_equal(photos.read(str(tmp_path / "photo.png")), COLOURS)


def test_content_counts_and_not_the_suffix(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(saved(COLOURS, "PNG"))
    np.testing.assert_array_equal(photos.read(tmp_path / "photo.jpg"), COLOURS)


TURNED_BACK = {  # how a viewer undoes each of Exif's orientations
    1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1), 6: lambda a: np.rot90(a, -1), 7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: np.rot90,
}  # fmt: skip


@pytest.mark.parametrize("orientation", [*TURNED_BACK, 0, 9])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_photo_is_turned_upright_once(orientation, kind):
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = TURNED_BACK.get(orientation, TURNED_BACK[1])(COLOURS)
    np.testing.assert_array_equal(photos.read(saved(COLOURS, kind, exif=exif)), turned)


BROKEN_EXIF = [
    b"Exif\0\0" + rest for rest in (
        b"", b"garbage!", b"II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff",
        b"II*\0\x08\0\0\0\1\0\x12\x01\x02\0\xff\xff\0\0\x10\0\0\0",  # an orientation that is a text
        b"II*\0\x08\0\0\0\1\0\x12\x01\x05\0\1\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0",  # ... that is 0 / 0
    )
]  # fmt: skip


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("exif", BROKEN_EXIF)
def test_photo_with_broken_exif_is_shown_as_it_lies(kind, exif):
    good, broken = (photos.read(saved(COLOURS, kind, **settings)) for settings in ({}, {"exif": exif}))
    np.testing.assert_array_equal(good, broken)


def test_grey_and_black_and_white_become_three_equal_channels():
    grey = COLOURS[..., 0]
    np.testing.assert_array_equal(photos.read(saved(grey, "PNG")), np.stack([grey] * 3, axis=-1))
    np.testing.assert_array_equal(
        photos.read(saved(grey > 127, "PNG")), np.where(grey > 127, 255, 0)[..., None].repeat(3, axis=-1)
    )


def test_palette_gives_its_colours():
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    for kind in "PNG", "GIF", "TIFF", "BMP":
        np.testing.assert_array_equal(photos.read(saved(image, kind)), [[[10, 20, 30], [40, 50, 60]]])


def test_what_is_transparent_lies_on_white():
    half = np.array([[[0, 0, 0, 0], [0, 0, 0, 255], [200, 100, 0, 51]]], "uint8")  # 51 is a fifth
    on_white = [[[255, 255, 255], [0, 0, 0], [244, 224, 204]]]
    np.testing.assert_array_equal(photos.read(saved(half, "PNG")), on_white)
    grey = Image.fromarray(half).convert("LA")
    np.testing.assert_array_equal(photos.read(saved(grey, "PNG"))[0, :2], [[255] * 3, [0] * 3])
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.putpixel((1, 0), 1)
    for kind, transparency in ("PNG", 1), ("PNG", b"\xff\0"), ("GIF", 1):
        data = saved(palette, kind, transparency=transparency)
        np.testing.assert_array_equal(photos.read(data), [[[10, 20, 30], [255, 255, 255]]])
    np.testing.assert_array_equal(photos.read(saved(palette.convert("PA"), "TIFF"))[0, 0], [10, 20, 30])
    named = saved(Image.new("RGB", (1, 1), (1, 2, 3)), "PNG", transparency=(1, 2, 3))
    np.testing.assert_array_equal(photos.read(named), [[[255, 255, 255]]])


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr"])
@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_colours_of_printers_and_of_video_are_converted(mode, kind):
    settings = {"compression": "jpeg"} if (mode, kind) == ("YCbCr", "TIFF") else {}  # as they come
    data = saved(Image.fromarray(CORNERS).convert(mode), kind, **settings)
    np.testing.assert_allclose(photos.read(data)[4::24, 6::36], CORNERS[4::24, 6::36], atol=12)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_16_bit_grey_is_scaled_and_not_clipped(kind):
    levels = np.array([[0, 257, 128 * 257, 65535, 300]], "uint16")
    np.testing.assert_array_equal(photos.read(saved(levels, kind))[..., 1], [[0, 1, 128, 255, 1]])


def test_16_bit_grey_is_read_in_either_order_of_bytes_and_with_white_for_zero():
    def tiff(order, white_is_zero, bits, pixels):
        """The smallest TIFF there is: one strip, right behind the header."""
        tags = [(256, 2), (257, 1), (258, bits), (259, 1), (262, 0 if white_is_zero else 1), (273, 8), (277, 1),
                (278, 1), (279, len(pixels))]  # fmt: skip
        head = struct.pack(f"{order}HI", 42, 8 + len(pixels))
        entries = b"".join(struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0) for tag, value in tags)
        mark = b"II" if order == "<" else b"MM"
        return mark + head + pixels + struct.pack(f"{order}H", len(tags)) + entries + bytes(4)

    assert photos.read(tiff("<", False, 16, b"\0\x80\xff\xff"))[0, :, 0].tolist() == [128, 255]
    assert photos.read(tiff(">", False, 16, b"\x80\0\xff\xff"))[0, :, 0].tolist() == [128, 255]
    assert photos.read(tiff("<", True, 16, b"\0\0\xff\xff"))[0, :, 0].tolist() == [255, 0]
    assert photos.read(tiff("<", False, 12, b"\xff\xf0\0"))[0, :, 0].tolist() == [255, 0]


def test_16_bit_colour_is_scaled():
    assert photos.read(png(1, 1, bits=16, pixels=b"\0\x80\0\xff\xff\0\0")).tolist() == [[[128, 255, 0]]]


@pytest.mark.parametrize("mode", ["F", "I"])
def test_pixels_without_black_and_white_are_refused(mode):
    assert "Scale them to 0 ... 255" in refused(saved(Image.new(mode, (2, 2)), "TIFF"))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_several_frames_or_pages_the_first_is_read(kind):
    first, second = Image.new("RGB", (8, 8), (255, 0, 0)), Image.new("RGB", (8, 8), (0, 0, 255))
    data = saved(first, kind, save_all=True, append_images=[second])
    np.testing.assert_allclose(photos.read(data), np.full((8, 8, 3), [255, 0, 0]), atol=4)


@pytest.mark.parametrize("size", [(1, 1), (1, 20000), (20000, 1)])
def test_tiny_and_narrow_images_are_read(size):
    assert photos.read(saved(Image.new("RGB", size), "PNG")).shape == (size[1], size[0], 3)


@pytest.mark.parametrize("name", ["péché été.png", "cat 🐈.png", "new\nline.png", "[1].png", "-.png"])
def test_any_name_is_read_and_can_be_told(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(saved(COLOURS, "PNG"))
    np.testing.assert_array_equal(photos.read(path), COLOURS)
    path.write_bytes(b"no image")
    assert name.replace("\n", "\\n") in refused(path)


def test_name_that_is_no_text_can_be_told():
    assert r"caf\udce9.jpg is not there" in refused("caf\udce9.jpg")
    assert r"\x1b[31m" in refused("\x1b[31m.jpg")
    refused("nul\0.jpg")
    refused("\ud800.jpg")
    refused("x" * 5000)


# What is no image


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "AVIF"])
@pytest.mark.parametrize("part", [0.02, 0.5, 0.9])
def test_truncated_images_are_refused(kind, part):
    if kind == "AVIF" and "AVIF" not in Image.SAVE:
        pytest.skip("this Pillow cannot write AVIF")
    data = saved(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype="uint8"), kind)
    assert "truncated or damaged" in refused(data[: max(20, int(part * len(data)))])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "PPM", "TIFF"])
def test_damaged_images_are_read_or_refused_and_nothing_else(kind):
    good, rng = saved(COLOURS, kind), np.random.default_rng(1)
    for _ in range(60):
        data = bytearray(good)
        for place in rng.integers(len(data), size=4):
            data[place] = rng.integers(256)
        try:
            assert photos.read(bytes(data)).shape[2] == 3
        except Unreadable as fault:
            assert "standard input" in str(fault)  # noqa: PT017


OTHER_THINGS = {
    "HEIC": (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC photo"),
    "HEIF": (b"\0\0\0\x18ftypmif1\0\0\0\0", "HEIC photo"),
    "video": (b"\0\0\0\x18ftypisom\0\0\0\0", "video"),
    "SVG": (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
    "PSD": (b"8BPS\0\1\0\0", "Photoshop"),
    "ZIP": (b"PK\3\4\x14\0", "ZIP"),
    "web page": (b"\n<!DOCTYPE html><html><body>404</body></html>", "web page"),
    "text": ("Bom dia, café\n".encode() * 200, "text file"),
    "LFS": (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    "noise": (bytes(range(128, 256)), "no format that is read here"),
    "one byte": (b"\xff", "no format that is read here"),
}


@pytest.mark.parametrize(("data", "told"), OTHER_THINGS.values(), ids=OTHER_THINGS)
def test_what_is_no_image_is_called_by_its_name(tmp_path, data, told):
    assert told in refused(data)
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)
    assert str(path) in refused(path)


@pytest.mark.parametrize("kind", ["TGA", "ICO", "JPEG2000", "PCX"])
def test_formats_that_nobody_meets_are_not_tried(kind):
    assert "no format that is read here" in refused(saved(Image.new("RGB", (16, 16)), kind))


def test_empty_and_missing_files_and_folders_are_refused(tmp_path):
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "link.jpg").symlink_to(tmp_path / "gone.jpg")
    assert "is empty" in refused(tmp_path / "empty.jpg")
    assert "is empty" in refused(b"")
    assert "not there" in refused(tmp_path / "gone.jpg")
    assert "a link to a file that is not there" in refused(tmp_path / "link.jpg")
    assert "is a folder" in refused(tmp_path)


def test_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    (tmp_path / "photo.jpg").write_bytes(b"secret")

    def forbidden(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", forbidden)  # for root there is no other way
    assert "Permission denied" in refused(tmp_path / "photo.jpg")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX")
def test_pipes_sockets_and_devices_are_refused_without_being_opened(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe.jpg")
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.jpg")
        for path in "pipe.jpg", "socket.jpg", "/dev/zero":
            assert "a pipe, a socket or a device" in refused(path)


# Too much


def test_bombs_are_refused_from_their_header():
    for width, height in (8001, 8000), (12000, 9000), (60000, 60000):
        assert "64,000,000 pixels" in refused(png(width, height))


def test_limit_of_pillow_stays_as_it_was(monkeypatch):
    before = Image.MAX_IMAGE_PIXELS
    refused(png(12000, 9000))
    assert before == Image.MAX_IMAGE_PIXELS
    with pytest.warns(Image.DecompressionBombWarning):
        Image.open(io.BytesIO(png(12000, 9000)))  # which others are still warned of


def test_large_files_are_refused_before_they_are_read(tmp_path, monkeypatch):
    with open(tmp_path / "large.jpg", "wb") as file:
        file.truncate(photos.LARGEST + 1)  # takes no space
    monkeypatch.setattr("builtins.open", lambda *_: pytest.fail("was opened"))
    assert "is too large" in refused(tmp_path / "large.jpg")


@pytest.mark.parametrize("kind", [b"zTXt", b"iCCP"])
def test_huge_text_in_an_image_does_no_harm(kind):
    data = png(1, 1, chunk(kind, b"a\0\0" + zlib.compress(bytes(10_000_000))), pixels=bytes(4))
    try:
        assert photos.read(data).shape == (1, 1, 3)
    except Unreadable as fault:
        assert "PNG" in str(fault)  # noqa: PT017


def test_preview_of_a_raw_file_is_not_taken_for_the_photo():
    assert "preview" in refused(saved(COLOURS, "TIFF", tiffinfo={254: 1}))


@pytest.mark.parametrize("fault", [MemoryError(), ValueError("?"), EOFError(), RecursionError(), struct.error("?")])
def test_whatever_a_decoder_raises_is_told(monkeypatch, fault):
    def fail(*_):
        raise fault

    monkeypatch.setattr(Image.Image, "convert", fail)
    assert "standard input" in refused(saved(COLOURS, "PNG"))


# Warnings


def test_no_warning_of_pillow_comes_through_from_any_thread():
    """pytest turns warnings into errors, and both images give one."""
    exif = saved(COLOURS, "JPEG", exif=BROKEN_EXIF[2])
    with pytest.warns(UserWarning, match="EXIF"):
        Image.open(io.BytesIO(exif))
    faults, filters = [], warnings.filters[:]

    def work():
        for _ in range(20):
            try:
                photos.read(exif)
                refused(png(12000, 9000))
            except Exception as fault:
                faults.append(fault)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert warnings.filters == filters


# Which files


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the tests are: b/photo10.jpg and the like, all of them empty."""
    for name in ("photo10.JPG", "photo2.jpg", "Photo1.png", ".hidden.jpg", "notes.txt", "new.heic", "inner/deep.webp"):
        (tmp_path / "b" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "b" / name).touch()
    (tmp_path / "b" / "folder.jpg").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(found):
    return [path.name for path in found]


def test_folder_stands_for_the_images_in_it_in_natural_order(folder):
    assert names(photos.find(["b"])) == ["new.heic", "Photo1.png", "photo2.jpg", "photo10.JPG"]
    assert photos.find([folder / "b"])[1] == folder / "b" / "Photo1.png"


def test_folder_without_images_is_refused_and_what_is_there_is_told(folder):
    (folder / "empty").mkdir()
    (folder / "b" / "lists").mkdir()
    (folder / "b" / "lists" / "1.csv").touch()
    with pytest.raises(Misuse, match="nothing at all"):
        photos.find(["empty"])
    with pytest.raises(Misuse, match=r"\.csv: 1"):
        photos.find(["b/lists"])


def test_a_folder_without_images_beside_others_is_left_to_be_told_by_read(folder):
    (folder / "empty.jpg").mkdir()
    found = photos.find(["empty.jpg", "b/photo2.jpg"])
    assert names(found) == ["empty.jpg", "photo2.jpg"]
    with pytest.raises(photos.Unreadable, match="is a folder"):
        photos.read(found[0])


def test_patterns_are_expanded(folder):
    assert names(photos.find(["b/*.jpg"])) == ["photo2.jpg"]
    assert names(photos.find(["b/photo*"])) == ["photo2.jpg", "photo10.JPG"]
    assert names(photos.find(["**/*.webp"])) == ["deep.webp"]
    assert names(photos.find(["b/[pP]hoto?.*"])) == ["Photo1.png", "photo2.jpg"]


@pytest.mark.parametrize("pattern", ["*.jpg", "b/*.gif", "nowhere/*", "b/fold*"])
def test_pattern_without_a_match_is_refused(folder, pattern):
    with pytest.raises(Misuse, match="No file matches"):
        photos.find([pattern])


def test_file_is_taken_whatever_its_name(folder):
    (folder / "cat[1].jpg").touch()
    (folder / "cat1.jpg").touch()
    assert names(photos.find(["cat[1].jpg", "b/notes.txt"])) == ["cat[1].jpg", "notes.txt"]


def test_missing_files_and_dangling_links_stay_for_read_to_name(folder):
    (folder / "link[1].jpg").symlink_to("gone.jpg")
    assert names(photos.find(["gone.jpg", "link[1].jpg"])) == ["gone.jpg", "link[1].jpg"]


def test_each_file_comes_once_where_it_was_named_first(folder):
    found = photos.find(["b/photo2.jpg", "b", "./b/photo2.jpg", folder / "b" / "photo2.jpg"])
    assert names(found) == ["photo2.jpg", "new.heic", "Photo1.png", "photo10.JPG"]


def test_standard_input_is_passed_on(folder):
    assert photos.find(["-", "b/photo2.jpg", "-"])[0] == photos.FROM_STDIN
    assert len(photos.find(["-", "-"])) == 1


def test_empty_word_is_refused():
    with pytest.raises(Misuse, match="empty text"):
        photos.find([""])


def test_one_word_need_not_be_a_list(folder):
    assert photos.find("b") == photos.find(["b"])
