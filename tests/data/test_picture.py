"""Single image files: every mode looks as it should, every damage is one reason."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from studio.data import picture
from studio.data.picture import Square, UnreadableError, decoding_bytes, read_picture
from tests.data.icc_profiles import adobe_rgb, linear_grey
from tests.data.image_folders import write_image

SMALL = Square(size=8)


def saved(image: Image.Image, path: Path, **options: Any) -> Path:
    image.save(path, **options)
    return path


def with_transparent_index() -> Image.Image:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 200, 30, 30])
    image.info["transparency"] = 1
    return image


@pytest.mark.parametrize(
    ("image", "name", "expected"),
    [
        (Image.new("1", (8, 8), 1), "a.png", (255, 255, 255)),
        (Image.new("L", (8, 8), 90), "a.png", (90, 90, 90)),
        (Image.new("LA", (8, 8), (90, 0)), "a.png", (255, 255, 255)),
        (Image.new("RGB", (8, 8), (200, 30, 40)), "a.png", (200, 30, 40)),
        (Image.new("RGBA", (8, 8), (200, 30, 40, 255)), "a.png", (200, 30, 40)),
        (Image.new("RGBA", (8, 8), (255, 0, 0, 51)), "a.png", (255, 204, 204)),
        (Image.new("RGB", (8, 8), (200, 30, 40)).quantize(4), "a.gif", (200, 30, 40)),
        (with_transparent_index(), "a.png", (255, 255, 255)),
        (Image.fromarray(np.full((8, 8), 90 * 257, dtype=np.uint16)), "a.png", (90, 90, 90)),
        (Image.fromarray(np.full((8, 8), 90 * 257, dtype=np.uint16)), "a.tif", (90, 90, 90)),
        (Image.fromarray(np.full((8, 8), 90 * 257, dtype=np.int32)), "a.tif", (90, 90, 90)),
        (Image.fromarray(np.full((8, 8), 0.2, dtype=np.float32)), "a.tif", (51, 51, 51)),
        (Image.fromarray(np.full((8, 8), np.nan, dtype=np.float32)), "a.tif", (0, 0, 0)),
        (Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "a.tif", (255, 0, 0)),
        (Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "a.jpg", (254, 0, 0)),
        (Image.new("RGB", (8, 8), (200, 30, 40)), "a.webp", (200, 30, 40)),
        (Image.new("RGB", (8, 8), (200, 30, 40)), "a.bmp", (200, 30, 40)),
    ],
)
def test_that_every_mode_looks_as_it_should(
    tmp_path: Path, image: Image.Image, name: str, expected: tuple[int, int, int]
) -> None:
    options = {"lossless": True} if name.endswith("webp") else {}
    pixels = read_picture(saved(image, tmp_path / name, **options), SMALL).pixels
    assert pixels.shape == (8, 8, 3)
    assert pixels.dtype == np.uint8
    np.testing.assert_allclose(pixels, np.broadcast_to(expected, (8, 8, 3)), atol=2)


def test_that_an_image_of_the_right_size_keeps_every_pixel(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    path = saved(Image.fromarray(pixels), tmp_path / "a.png")
    np.testing.assert_array_equal(read_picture(path, SMALL).pixels, pixels)
    grey = saved(Image.fromarray(pixels[..., 0]), tmp_path / "b.png")
    np.testing.assert_array_equal(read_picture(grey, Square(size=8, grey=True)).pixels[..., 0], pixels[..., 0])


def test_that_the_camera_orientation_is_honoured(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90° clockwise to show
    pixels = np.zeros((8, 8, 3), dtype=np.uint8)
    pixels[:4] = 255
    path = saved(Image.fromarray(pixels), tmp_path / "a.png", exif=exif)
    upright = read_picture(path, SMALL).pixels
    assert upright[:, 4:].min() == 255
    assert upright[:, :4].max() == 0


@pytest.mark.parametrize("ending", ["png", "tif", "jpg", "webp"])
def test_that_colours_are_those_of_their_profile(tmp_path: Path, ending: str) -> None:
    jpeg: dict[str, Any] = {"quality": 100, "subsampling": 0}
    options = {"webp": {"lossless": True}, "jpg": jpeg}.get(ending, {})
    image = Image.new("RGB", (8, 8), (90, 200, 90))
    path = saved(image, tmp_path / f"a.{ending}", icc_profile=adobe_rgb(), **options)
    np.testing.assert_allclose(read_picture(path, SMALL).pixels[4, 4], (0, 201, 81), atol=2)


def test_that_profiles_hold_for_grey_palette_and_transparent_images_too(tmp_path: Path) -> None:
    grey = saved(Image.new("L", (8, 8), 55), tmp_path / "l.png", icc_profile=linear_grey())
    np.testing.assert_allclose(read_picture(grey, SMALL).pixels[4, 4], (128, 128, 128), atol=1)
    assert (np.ptp(read_picture(grey, SMALL).pixels, axis=2) == 0).all()
    clear = saved(Image.new("RGBA", (8, 8), (90, 200, 90, 0)), tmp_path / "a.png", icc_profile=adobe_rgb())
    assert read_picture(clear, SMALL).pixels.min() == 255
    palette = Image.new("RGB", (8, 8), (90, 200, 90)).quantize(2)
    indexed = saved(palette, tmp_path / "p.png", icc_profile=adobe_rgb())
    np.testing.assert_allclose(read_picture(indexed, SMALL).pixels[4, 4], (0, 201, 81), atol=2)


def test_that_a_profile_of_srgb_changes_no_value(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    path = saved(Image.fromarray(pixels), tmp_path / "a.png", icc_profile=profile)
    np.testing.assert_array_equal(read_picture(path, SMALL).pixels, pixels)


def test_that_a_profile_of_grey_takes_no_colours_away(tmp_path: Path) -> None:
    path = saved(Image.new("RGB", (8, 8), (90, 200, 90)), tmp_path / "a.png", icc_profile=linear_grey())
    found = read_picture(path, Square(size=8))
    assert found.pixels[4, 4].tolist() == [90, 200, 90]
    assert found.odd_profile


def test_that_a_profile_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    path = saved(Image.new("RGB", (8, 8), (90, 200, 90)), tmp_path / "a.png", icc_profile=b"no profile at all")
    found = read_picture(path, SMALL)
    assert found.odd_profile
    assert found.pixels[4, 4].tolist() == [90, 200, 90]


@pytest.mark.parametrize(("ending", "several"), [("tif", True), ("gif", True), ("webp", True), ("png", True)])
def test_that_a_file_of_several_images_shows_the_first(tmp_path: Path, ending: str, several: bool) -> None:
    frames = [Image.new("RGB", (8, 8), (value, value, value)) for value in (200, 100, 50)]
    options = {"lossless": True} if ending == "webp" else {}
    found = read_picture(
        saved(frames[0], tmp_path / f"a.{ending}", save_all=True, append_images=frames[1:], **options), SMALL
    )
    assert found.several == several
    assert found.pixels[4, 4].tolist() == [200, 200, 200]


def smooth(mode: str) -> Image.Image:
    """A smooth image of 640×480."""
    pixels = np.random.default_rng(0).integers(0, 256, (2, 3, 4), dtype=np.uint8)
    image = Image.fromarray(pixels).resize((640, 480), Image.Resampling.BICUBIC)
    if mode == "I;16":
        return Image.fromarray(np.asarray(image)[..., 0].astype(np.uint16) * 257)
    return image.convert("RGB").quantize(64) if mode == "P" else image.convert(mode)


@pytest.mark.parametrize(
    ("mode", "fit"),
    [*((mode, "crop") for mode in ("RGB", "RGBA", "L", "LA", "P", "1", "I;16")), ("RGB", "pad"), ("P", "stretch")],
)
def test_that_an_image_of_many_pixels_looks_as_if_it_were_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str, fit: Any
) -> None:
    path, square = saved(smooth(mode), tmp_path / "a.png"), Square(size=9, fit=fit)
    whole = read_picture(path, square).pixels.astype(int)
    monkeypatch.setattr(picture, "_MANY", 1000)
    np.testing.assert_allclose(read_picture(path, square).pixels, whole, atol=6)


def test_that_the_memory_for_an_image_is_known_from_its_header(tmp_path: Path) -> None:
    grey = saved(Image.new("L", (4200, 4200)), tmp_path / "l.png")
    assert 4200**2 <= decoding_bytes(grey) <= 3 * 4200**2
    small = write_image(tmp_path / "small.png", size=(1000, 1000))
    assert 4_000_000 <= decoding_bytes(small) <= 20_000_000
    assert decoding_bytes(write_image(tmp_path / "a.jpg", size=(2000, 2000))) <= 2000**2
    assert decoding_bytes(text_png(tmp_path)) == 0


def test_that_crop_pad_and_stretch_differ_as_they_say(tmp_path: Path) -> None:
    pixels = np.zeros((16, 48, 3), dtype=np.uint8)
    pixels[:, :16] = 255  # left third white, the rest black
    path = saved(Image.fromarray(pixels), tmp_path / "wide.png")
    assert read_picture(path, Square(size=12, fit="crop")).pixels.max() < 20  # the filter overshoots a little
    stretched = read_picture(path, Square(size=12, fit="stretch")).pixels
    assert stretched[:, :3].min() > 200
    assert stretched[:, 6:].max() < 50
    padded = read_picture(path, Square(size=12, fit="pad", background="black")).pixels
    assert padded[:4].max() == padded[8:].max() == 0
    assert padded[4:8, :3].min() > 150
    assert read_picture(path, Square(size=12, fit="pad")).pixels[:4].min() == 255


@pytest.mark.parametrize("size", [(1, 3000), (3000, 1), (1, 1), (2000, 1500)])
@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_that_any_size_becomes_the_square(tmp_path: Path, size: tuple[int, int], fit: Any, ending: str) -> None:
    path = write_image(tmp_path / f"a.{ending}", (200, 30, 30), size)
    pixels = read_picture(path, Square(size=16, fit=fit, background="black")).pixels
    assert pixels.shape == (16, 16, 3)
    assert pixels.max() > 20


def text_png(folder: Path) -> Path:
    path = folder / "a.png"
    path.write_text("This is no image.")
    return path


def truncated_png(folder: Path) -> Path:
    path = write_image(folder / "a.png", size=(64, 64))
    path.write_bytes(path.read_bytes()[:-30])
    return path


def huge_png(folder: Path) -> Path:
    path = folder / "a.png"
    Image.new("1", (20_000, 10_000)).save(path)  # 200 million pixels in 24 kB
    return path


def broken_link(folder: Path) -> Path:
    path = folder / "a.png"
    path.symlink_to(folder / "nowhere.png")
    return path


def empty_file(folder: Path) -> Path:
    path = folder / "a.png"
    path.touch()
    return path


def program_in_postscript(folder: Path) -> Path:
    path = folder / "a.eps"
    path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n")
    return path


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (text_png, "not an image of a known format"),
        (truncated_png, "damaged"),
        (huge_png, "too large"),
        (broken_link, "a link leads nowhere"),
        (empty_file, "the file is empty"),
        (program_in_postscript, "not an image of a known format"),
        (lambda folder: folder, "not a file"),
    ],
)
def test_that_what_cannot_be_read_has_a_reason(tmp_path: Path, make: Any, reason: str) -> None:
    with pytest.raises(UnreadableError, match=reason):
        read_picture(make(tmp_path), SMALL)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_that_a_pipe_does_not_hold_up_the_rest(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(UnreadableError, match="not a file"):
        read_picture(tmp_path / "a.png", SMALL)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_that_no_damage_whatever_does_more_than_an_unreadable_error(tmp_path: Path, data: st.DataObject) -> None:
    ending = data.draw(st.sampled_from(["png", "jpg", "gif", "bmp", "tif", "webp", "ppm", "tga", "ico", "pcx"]))
    path = write_image(tmp_path / f"a.{ending}", size=(16, 16))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        pixels = read_picture(path, SMALL).pixels
    except UnreadableError:
        return
    assert pixels.shape == (8, 8, 3)


_PEAK = """
import resource, sys
from pathlib import Path
from PIL import Image, ImageCms
from studio.data.picture import Square, read_picture
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(read_picture(Path(sys.argv[1]), Square(size=32)).pixels.mean(), end=" ")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems count memory in other units")
@pytest.mark.parametrize(("mode", "most"), [("RGB", 450e6), ("I;16", 300e6)])
def test_that_reading_a_very_large_image_takes_little_more_than_its_pixels(
    tmp_path: Path, mode: str, most: float
) -> None:
    """88 million pixels of 4 or 2 bytes; by way of floating point they took 2.4 GB."""
    pixels = np.full((9400, 9400), 90 * 257, np.uint16)
    image = Image.fromarray(pixels) if mode == "I;16" else Image.new("RGB", (9400, 9400), (90, 90, 90))
    path = saved(image, tmp_path / "a.png", compress_level=1)
    ran = subprocess.run([sys.executable, "-c", _PEAK, str(path)], capture_output=True, text=True, check=True)
    mean, peak = ran.stdout.split()
    assert float(mean) == 90
    assert 1024 * int(peak) < most
    assert decoding_bytes(path) < most
