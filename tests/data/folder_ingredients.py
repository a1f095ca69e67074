"""Folders of images made of everything that folders are found to hold, with what a reader must make of them.

What is expected is noted while a folder is made, from what is put in: nothing of it is read back, and no code of the
reader is used.
"""

import random
import struct
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from tests.data.test_depth import write_png

EDGE = 8
WORDS = ("cat", "Dog", "élan", "<b>", "unsure", "con", "Ωmega", "class", "it's; a,b", "x & y", "labels")
CLUTTER = ("@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information", "lost+found", ".hidden", "__MACOSX")
DAMAGE = (b"", b"no image", b"\x89PNG\r\n\x1a\n" + bytes(40), b"GIF89a", b"II*\0\xff\xff\xff\xff")


@dataclass(slots=True)
class Listed:
    """A file that has a number.

    Attributes:
        name: as it is shown.
        byte: its grey value, from what is known alone; None if it cannot be read.
        deep: its kind of deep file, whose white the folder decides, else "".
        value: as the file has it, for deep ones.
    """

    name: str
    byte: int | None
    deep: str = ""
    value: float = 0.0


@dataclass(slots=True)
class Made:
    """A folder and what must come of it."""

    root: Path
    chance: random.Random
    classes: dict[str, list[Listed]] = field(default_factory=dict)
    captions: int = 0
    masks: int = 0
    loose: int = 0
    skipped: int = 0
    several: int = 0

    @property
    def listed(self) -> list[Listed]:
        """All files with numbers, in their order."""
        return [each for files in self.classes.values() for each in files]

    def expected(self, each: Listed) -> int | None:
        """The grey value of an image, by the white that its kind has in this folder."""
        if not each.deep or each.byte is None:
            return each.byte
        top = max(other.value for other in self.listed if other.deep == each.deep)
        white = 255.0 if top > 2 else 1.0
        if each.deep == "sixteen":
            white = 1023.0 if 255 < top <= 1023 else 4095.0 if 1023 < top <= 4095 else 65535.0
        return round(min(255.0, 255 * each.value / white))


def make_folder(root: Path, chance: random.Random) -> Made:
    """A folder of one of the forms that are read: classes, or images alone."""
    made = Made(root=root, chance=chance)
    root.mkdir(parents=True)
    scale = chance.choice((1.0, 1.0, 255.0)), chance.choice((1000, 4095, 65535))
    if chance.random() < 0.2:
        _flat(made, scale)
    else:
        _classes(made, scale)
    for name in chance.sample(CLUTTER, chance.randrange(3)):
        _grey(root / name / "1.png", 7)
    return made


def _flat(made: Made, scale: tuple[float, int]) -> None:
    files = _fill(made, made.root, "", scale, 3)
    files.append(_image(made, made.root / "sure.png", "sure.png", scale, _png))
    made.classes["all images"] = files
    if made.chance.random() < 0.5:
        (made.root / "words").mkdir()
        for number in range(made.chance.randrange(1, 4)):
            (made.root / "words" / f"{number}.txt").write_text("words")
            made.captions += 1


def _classes(made: Made, scale: tuple[float, int]) -> None:
    chance = made.chance
    named = [(word, number) for word in chance.sample(WORDS, chance.randrange(1, 4)) for number in (2, 10)]
    named = chance.sample(named, chance.randrange(1, len(named) + 1))
    for word, number in sorted(named, key=lambda pair: (f"{pair[0].casefold()} ", pair[1])):
        name = f"{word} {number}"
        spelt = unicodedata.normalize(chance.choice(("NFC", "NFD")), name)
        folder = made.root / spelt
        folder.mkdir()
        files = _fill(made, folder, f"{name}/", scale, 2)
        files.append(_image(made, folder / "sure.png", f"{name}/sure.png", scale, _png))
        if chance.random() < 0.4:
            (folder / "deep").mkdir()
            files += _fill(made, folder / "deep", f"{name}/deep/", scale, 2)
        if chance.random() < 0.3:
            files += _link(made, folder, name, scale)
        made.classes[name] = files
    for number in range(chance.randrange(3)):
        _grey(made.root / f"beside{number}.png", 9)
        made.loose += 1


def _link(made: Made, folder: Path, name: str, scale: tuple[float, int]) -> list[Listed]:
    """A link inside a class: to a folder elsewhere, to the class itself, to the root, or to nowhere that is."""
    link = folder / "zlink"
    match made.chance.choice(("elsewhere", "itself", "root", "endless")):
        case "elsewhere":
            place = made.root.parent / f"{made.root.name} of {len(made.classes)}"
            place.mkdir()
            link.symlink_to(place, target_is_directory=True)
            return _fill(made, place, f"{name}/zlink/", scale, 2)
        case "itself":
            link.symlink_to(folder, target_is_directory=True)
        case "root":
            link.symlink_to(made.root, target_is_directory=True)
        case _:
            link.symlink_to(link)
    made.skipped += 1
    return []


def _fill(made: Made, folder: Path, prefix: str, scale: tuple[float, int], least: int) -> list[Listed]:
    """Images, damaged files, masks, captions and clutter, in a folder that is there."""
    chance, files = made.chance, []
    for number in sorted(chance.sample(range(100), chance.randrange(least, 7))):
        make, ending = chance.choice(KINDS)
        stem = f"{chance.choice(('img', 'Img'))}{number}"
        name = f"{stem}.{ending}"
        if chance.random() < 0.15:
            (folder / name).write_bytes(chance.choice(DAMAGE))
            files.append(Listed(f"{prefix}{name}", None))
        else:
            files.append(_image(made, folder / name, f"{prefix}{name}", scale, make))
        if chance.random() < 0.1:
            _grey(folder / f"{stem}{chance.choice(('-masklabel', '_mask', ' seg', '_Mask_2'))}.png", 1)
            made.masks += 1
        if chance.random() < 0.1:
            (folder / f"{stem}.{chance.choice(('txt', 'JSON', 'caption'))}").write_text("words")
            made.captions += 1
    if chance.random() < 0.2:
        (folder / chance.choice(("Thumbs.db", ".DS_Store", "desktop.ini"))).write_bytes(b"clutter")
    return files


Maker = Callable[[Made, Path, tuple[float, int], int], tuple[str, float]]


def _image(made: Made, path: Path, name: str, scale: tuple[float, int], make: Maker) -> Listed:
    byte = made.chance.randrange(256)
    deep, value = make(made, path, scale, byte)
    return Listed(name, byte, deep, value)


def _grey(path: Path, byte: int) -> None:
    path.parent.mkdir(exist_ok=True)
    Image.new("L", (EDGE, EDGE), byte).save(path)


def _png(made: Made, path: Path, scale: tuple[float, int], byte: int) -> tuple[str, float]:
    _grey(path, byte)
    return "", 0.0


def _large(made: Made, path: Path, scale: tuple[float, int], byte: int) -> tuple[str, float]:
    Image.new("RGB", (made.chance.randrange(1, 60), made.chance.randrange(1, 60)), (byte, byte, byte)).save(path)
    return "", 0.0


def _palette(made: Made, path: Path, scale: tuple[float, int], byte: int) -> tuple[str, float]:
    image = Image.new("P", (EDGE, EDGE), 1)
    image.putpalette([0, 0, 0, byte, byte, byte])
    image.save(path)
    return "", 0.0


def _clear(made: Made, path: Path, scale: tuple[float, int], byte: int) -> tuple[str, float]:
    """A pixel's colour shows by half over white."""
    shade = 255 - 2 * ((255 - byte) // 2) if byte > 127 else 0
    alpha = 255 if byte == 255 or shade == 255 else round((255 - byte) / (255 - shade) * 255)
    Image.new("RGBA", (EDGE, EDGE), (shade, shade, shade, alpha)).save(path)
    return "", 0.0


def _animation(made: Made, path: Path, scale: tuple[float, int], byte: int) -> tuple[str, float]:
    frames = [Image.new("L", (EDGE, EDGE), value) for value in (byte, (byte + 90) % 256, (byte + 180) % 256)]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    made.several += 1
    return "", 0.0


def _sixteen(made: Made, path: Path, scale: tuple[float, int], byte: int) -> tuple[str, float]:
    value = round(byte / 255 * scale[1])
    Image.fromarray(np.full((EDGE, EDGE), value, np.uint16)).save(path)
    return "sixteen", value


def _keyed(made: Made, path: Path, scale: tuple[float, int], byte: int) -> tuple[str, float]:
    """Grey of 8 bits over a transparent value that does not occur."""
    write_png(path, 8, bytes([byte]) * EDGE, key=(byte + 1) % 256)
    return "", 0.0


def _named_white(made: Made, path: Path, scale: tuple[float, int], byte: int) -> tuple[str, float]:
    most = made.chance.choice((1023, 4095, 65535))
    path.write_bytes(b"P5 8 8 %d\n" % most + struct.pack(">H", round(byte / 255 * most)) * 64)
    return "", 0.0


def _float(made: Made, path: Path, scale: tuple[float, int], byte: int) -> tuple[str, float]:
    value = byte / 255 * scale[0]
    values = np.full((20, 20), value, np.float32)
    if made.chance.random() < 0.3:
        values[0, 0] = made.chance.choice((1.02 * scale[0], 9999.0, np.nan, -1.0))  # away from the middle
    Image.fromarray(values).save(path)
    return "float", value


KINDS: tuple[tuple[Maker, str], ...] = (
    (_png, "png"),
    (_png, "bmp"),
    (_large, "tif"),
    (_palette, "png"),
    (_clear, "png"),
    (_animation, "gif"),
    (_sixteen, "png"),
    (_sixteen, "tif"),
    (_keyed, "png"),
    (_named_white, "pgm"),
    (_float, "tiff"),
)
