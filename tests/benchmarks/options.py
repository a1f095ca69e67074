"""What several benchmarks ask for on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

NO_MNIST = "MNIST is not in the folder that --data names"


def add_data(parser: argparse.ArgumentParser) -> None:
    """The option for a folder that torchvision opens as ``MNIST(root, download=False)``."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    parser.add_argument("--data", type=Path, default=beside, metavar="DIR", help="folder of MNIST")


def mnist(root: Path) -> bool:
    """Whether MNIST is there."""
    return (root / "MNIST" / "raw").is_dir()
