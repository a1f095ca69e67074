"""What several benchmarks ask for on the command line."""

import argparse
from pathlib import Path

NO_MNIST = "MNIST is not in the folder that --data names"
_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data"


def parser_of(description: str | None, *, data: bool = False) -> argparse.ArgumentParser:
    """With a benchmark's own docstring as its help, and the option for a folder that torchvision opens as
    ``MNIST(root, download=False)``.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    if data:
        parser.add_argument("--data", type=Path, default=_BESIDE, metavar="DIR", help="folder of MNIST")
    return parser


def mnist(root: Path) -> bool:
    return (root / "MNIST" / "raw").is_dir()
