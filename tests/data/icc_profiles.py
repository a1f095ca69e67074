"""Small ICC profiles, written by hand."""

import struct

_D50 = (0.9642, 1.0, 0.8249)
_ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))


def adobe_rgb() -> bytes:
    """Adobe RGB (1998): its primaries and a gamma of 563/256."""
    colours = {name: _xyz(values) for name, values in zip((b"rXYZ", b"gXYZ", b"bXYZ"), _ADOBE, strict=True)}
    curves = {name: _gamma(563) for name in (b"rTRC", b"gTRC", b"bTRC")}
    return _profile(b"RGB ", {b"desc": _text(b"wide"), b"wtpt": _xyz(_D50), **colours, **curves})


def linear_grey() -> bytes:
    """Grey whose values are amounts of light."""
    return _profile(b"GRAY", {b"desc": _text(b"linear"), b"wtpt": _xyz(_D50), b"kTRC": _gamma(256)})


def _profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    table, content = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += struct.pack(">4sII", name, start + len(content), len(data))
        content += data + bytes(-len(data) % 4)
    size = start + len(content)
    head = struct.pack(">I4sI4s4s4s", size, b"\0" * 4, 0x02100000, b"mntr", space, b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + b"".join(_fixed(value) for value in _D50)
    return head.ljust(128, b"\0") + table + content


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _xyz(values: tuple[float, float, float]) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(_fixed(value) for value in values)


def _gamma(over_256: int) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, over_256)


def _text(text: bytes) -> bytes:
    return b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text + b"\0" + bytes(8 + 3 + 67)
