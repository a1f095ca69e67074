"""Whether the sub-folders of a folder look like classes, or the classes lie elsewhere below.

folder/PetImages/{Cat,Dog}       the one sub-folder holds the classes
folder/{train,val}/{cat,dog}     the sub-folders are parts of the set, and each holds the classes
folder/data/{train,val}/…        both
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from studio.data.clutter import mask_folders
from studio.data.example_set import some
from studio.names import shown_name

_PART = re.compile(
    r"(train(ing)?|val(id|idation)?|test(ing|s)?|dev(el)?|eval(uation)?) ?(set)? ?[0-9]*|"
    r"hold ?out|unseen|unlabell?ed|pred(iction)?s?|(fold|split|part) ?[0-9]*"
)
_NO_CLASS = re.compile(r"images?|imgs?|jpe?gimages|photos?|pictures?|masks?|labels?|annotations?|data(set)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class BetterLevel:
    """Folders below the chosen one that look more like it, one of them to be chosen instead, and why, in a sentence."""

    reason: str
    folders: tuple[Path, ...]

    @property
    def advice(self) -> str:
        return f"{self.reason} Choose {' or '.join(shown_name(str(folder)) for folder in self.folders)} instead."


@dataclass(slots=True)
class _Node:
    files: int = 0
    below: dict[str, _Node] = field(default_factory=dict)


def better_level(classes: Mapping[Path, Collection[Path]]) -> BetterLevel | None:
    """What to choose instead, if sub-folders, each with the folders in it that hold images, don't look like classes."""
    trees = {folder: _tree(folder, places) for folder, places in classes.items() if places}
    found = {folder: place for folder, tree in trees.items() if (place := _classes_in(folder, tree)) is not None}
    masks = mask_folders(folder.name for folder in trees)
    if masks:
        name, of = next(iter(masks.items()))
        reason = f"“{shown_name(name)}” looks like masks of the images in “{shown_name(of)}” and not like a class."
        return BetterLevel(reason=reason, folders=tuple(folder for folder in trees if folder.name in masks.values()))
    if len(trees) == 1 and found:
        ((folder, place),) = found.items()
        inner = _inner_names(trees[folder], folder, place)
        reason = f"“{shown_name(folder.name)}” is the only class, and its own sub-folders look like classes: {inner}."
        return BetterLevel(reason=reason, folders=(place,))
    if len(trees) == 1:
        ((folder, tree),) = trees.items()
        return _better_below(folder, tree)
    if not all(_is_part(folder.name) for folder in trees):
        return None
    names = " and ".join(f"“{shown_name(folder.name)}”" for folder in list(trees)[:2])
    reason = f"{names} look like parts of a data set and not like classes"
    if not found:
        return BetterLevel(reason=f"{reason}.", folders=tuple(trees))
    folder, place = next(iter(found.items()))
    inner = _inner_names(trees[folder], folder, place)
    return BetterLevel(reason=f"{reason}; they hold {inner}.", folders=tuple(found.values()))


def _better_below(folder: Path, tree: _Node) -> BetterLevel | None:
    """What to choose in the only class, where its sub-folders are parts of a data set."""
    folder, tree = _where_it_divides(folder, tree)
    if tree.files or len(tree.below) < 2 or not all(map(_is_part, tree.below)):
        return None
    return better_level({folder / name: tuple(_places(folder / name, below)) for name, below in tree.below.items()})


def _places(folder: Path, node: _Node) -> Iterator[Path]:
    """The folders at or below this one that hold images."""
    if node.files:
        yield folder
    for name, below in node.below.items():
        yield from _places(folder / name, below)


def _where_it_divides(folder: Path, node: _Node) -> tuple[Path, _Node]:
    """The first folder, at or below this one, that holds more than one folder, or images."""
    while len(node.below) == 1 and not node.files:
        ((name, node),) = node.below.items()
        folder /= name
    return folder, node


def _inner_names(tree: _Node, folder: Path, place: Path) -> str:
    for part in place.relative_to(folder).parts:
        tree = tree.below[part]
    return some([shown_name(name) for name in sorted(tree.below)])


def _tree(folder: Path, places: Iterable[Path]) -> _Node:
    root = _Node()
    for place in places:
        node = root
        for part in place.relative_to(folder).parts:
            node = node.below.setdefault(part, _Node())
        node.files += 1
    return root


def _classes_in(folder: Path, node: _Node) -> Path | None:
    """The folder, at or below this one, whose sub-folders look like classes: two at least, and no image beside them."""
    folder, node = _where_it_divides(folder, node)
    names = list(node.below)
    if node.files or len(names) < 2 or any(_NO_CLASS.fullmatch(_plain(name)) for name in names):
        return None
    return None if all(_is_part(name) for name in names) else folder


def _is_part(name: str) -> bool:
    """Whether a name is of a part of a data set, as in ``train``, ``test_images``, ``seg_train`` or ``fold 3``."""
    return any(_PART.fullmatch(word) for word in (_plain(name), *_plain(name).split()))


def _plain(name: str) -> str:
    return re.sub(r"[-_ .]+", " ", name.casefold()).strip()
