"""White of deep images is one for the whole folder, whatever is in one image."""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studio.data.folder import FolderConfig, inspect_folder
from studio.data.image_set import ImageSet
from tests.data.image_folders import loaded, write_image


def write_deep(path: Path, values: Any, dtype: Any) -> Path:
    """An image with one channel of this type: one value everywhere, or given values."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.broadcast_to(np.asarray(values, dtype), (8, 8)).copy()).save(path)
    return path


def write_pgm(path: Path, value: int, most: int = 65535) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"P5 8 8 %d\n" % most + struct.pack(">H", value) * 64)
    return path


def write_png(path: Path, bits: int, rows: bytes, key: int | None = None, colour: int = 0) -> Path:
    """An 8×8 PNG from packed rows, with a transparent value."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    path.parent.mkdir(parents=True, exist_ok=True)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, bits, colour, 0, 0, 0))
    clear = b"" if key is None else chunk(b"tRNS", struct.pack(">H", key) * (3 if colour == 2 else 1))
    pixels = b"".join(b"\0" + rows for _ in range(8))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + clear + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b""))
    return path


def greys(images: ImageSet) -> list[int]:
    """The middle of each image."""
    return [int(image[4, 4, 0]) for image in images.images]


def test_that_an_overshoot_leaves_floating_point_images_as_they_are(tmp_path: Path) -> None:
    for number, value in enumerate((0.0, 0.5, 0.71, 1.0)):
        write_deep(tmp_path / "a" / f"{number}.tif", value, np.float32)
    beyond = np.full((8, 8), 0.71)
    beyond[0, 0] = 1.02
    write_deep(tmp_path / "b" / "0.tif", beyond, np.float32)
    images = loaded(tmp_path, size=8)
    assert greys(images) == [0, 128, 181, 255, 181]
    assert images.images[4, 0, 0, 0] == 255
    assert images.report.lines() == ("Floating-point images: white is 1; brighter values, up to 1.02, are white, too.",)


def test_that_one_wild_pixel_does_not_darken_a_folder_of_floats(tmp_path: Path) -> None:
    values = np.full((20, 20), 0.5)
    values[0, 0] = 300
    (tmp_path / "a").mkdir()
    Image.fromarray(values.astype(np.float32)).save(tmp_path / "a" / "0.tif")
    write_deep(tmp_path / "a" / "1.tif", 0.25, np.float32)
    images = loaded(tmp_path, size=8)
    assert greys(images) == [128, 64]


def test_that_bytes_stored_as_floats_are_told_by_the_whole_folder(tmp_path: Path) -> None:
    write_deep(tmp_path / "dark" / "0.tif", 1.0, np.float32)
    write_deep(tmp_path / "bright" / "0.tif", 200.0, np.float32)
    images = loaded(tmp_path, size=8)
    assert greys(images) == [200, 1]
    assert images.report.lines() == ("Floating-point images: white is 255; no value is above 200.",)


@pytest.mark.parametrize("ending", ["pgm", "png", "tif"])
def test_that_a_dark_class_of_sixteen_bits_stays_dark(tmp_path: Path, ending: str) -> None:
    for name, value in (("dark", 119), ("middle", 32896), ("white", 65535)):
        path = tmp_path / name / f"0.{ending}"
        write_pgm(path, value) if ending == "pgm" else write_deep(path, value, np.uint16)
    assert greys(loaded(tmp_path, size=8)) == [0, 128, 255]


def test_that_a_dark_folder_of_sixteen_bits_is_dark_and_said_to_be(tmp_path: Path) -> None:
    write_pgm(tmp_path / "a" / "0.pgm", 119)
    assert greys(loaded(tmp_path, size=8)) == [0]
    write_deep(tmp_path / "a" / "1.png", 200, np.uint16)
    images = loaded(tmp_path, size=8)
    assert greys(images) == [0, 1]
    assert images.report.lines() == ("16-bit images: white is 65,535; no value is above 200, so all are dark.",)


def test_that_the_white_that_a_file_names_is_its_white(tmp_path: Path) -> None:
    write_pgm(tmp_path / "a" / "0.pgm", 2048, most=4095)
    write_pgm(tmp_path / "a" / "1.pgm", 511, most=1023)
    images = loaded(tmp_path, size=8)
    assert greys(images) == [128, 127]
    assert images.report.lines() == ()


def test_that_twelve_bits_in_sixteen_are_told_by_the_whole_folder(tmp_path: Path) -> None:
    for number, value in enumerate((0, 16, 1000, 2048, 4095)):
        write_deep(tmp_path / "ab"[number % 2] / f"{number}.png", value, np.uint16)
    images = loaded(tmp_path, size=8)
    assert dict(zip(images.files, greys(images), strict=True)) == {
        "a/0.png": 0,
        "b/1.png": 1,
        "a/2.png": 62,
        "b/3.png": 128,
        "a/4.png": 255,
    }
    assert images.report.lines() == ("16-bit images: white is 4,095; no value is above 4,095.",)
    preview = inspect_folder(FolderConfig(path=str(tmp_path), size=8))
    assert [int(pixels[4, 4, 0]) for one in preview.classes for pixels in one.thumbnails] == [0, 62, 255, 1, 128]
    assert preview.report.notes == images.report.notes


def test_that_sixteen_bits_of_colour_with_few_used_are_said_to_be_dark(tmp_path: Path) -> None:
    write_png(tmp_path / "a" / "0.png", 16, struct.pack(">HHH", 4095, 2048, 0) * 8, colour=2)
    images = loaded(tmp_path, size=8)
    assert images.report.lines() == (
        "16-bit colour images: white is 65,535; no value is above 4,095, so all are dark, in 16 shades.",
    )


def test_that_integers_of_thirty_two_bits_share_the_least_white_that_holds_them(tmp_path: Path) -> None:
    write_deep(tmp_path / "a" / "0.tif", 100, np.int32)
    assert greys(loaded(tmp_path, size=8)) == [100]
    write_deep(tmp_path / "b" / "0.tif", 90 * 257, np.int32)
    assert greys(loaded(tmp_path, size=8)) == [0, 90]


def test_that_zero_is_white_where_a_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    image = Image.fromarray(np.full((8, 8), 65535 - 90 * 257, np.uint16))
    image.save(tmp_path / "a" / "0.tif", tiffinfo={262: 0})
    with Image.open(tmp_path / "a" / "0.tif") as written:
        inverted = written.tag_v2[262] == 0  # type: ignore[attr-defined]
    if not inverted:
        pytest.skip("this Pillow does not write it")
    assert greys(loaded(tmp_path, size=8)) == [90]


@pytest.mark.parametrize(
    ("bits", "rows", "key"),
    [
        (16, struct.pack(">HH", 1000, 65535) * 4, 1000),
        (8, bytes([3, 255]) * 4, 3),
        (4, bytes([0x3F]) * 4, 3),
        (2, bytes([0b01110111]) * 2, 1),
        (1, bytes([0b01010101]), 0),
    ],
)
def test_that_a_transparent_value_is_so_at_any_depth(tmp_path: Path, bits: int, rows: bytes, key: int) -> None:
    write_png(tmp_path / "a" / "0.png", bits, rows, key)
    black = loaded(tmp_path, size=8, background="black").images[0, ..., 0]
    assert black[:, ::2].max() == 0
    assert black[:, 1::2].min() == 255
    assert loaded(tmp_path, size=8).images.min() == 255


def test_that_a_transparent_colour_of_sixteen_bits_is_so(tmp_path: Path) -> None:
    write_png(tmp_path / "a" / "0.png", 16, struct.pack(">HHH", 9000, 9000, 9000) * 8, key=9000, colour=2)
    assert loaded(tmp_path, size=8).images.min() == 255


def test_that_plain_images_say_nothing(tmp_path: Path) -> None:
    write_image(tmp_path / "a" / "0.png")
    assert loaded(tmp_path, size=8).report.lines() == ()
