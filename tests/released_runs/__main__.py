"""Write the run of the present version: ``python -m tests.released_runs``; add the zip that it names to git.

A tiny RBM on the built-in digits, tilted, resumed once, evaluated, named and tagged, with a pinned checkpoint.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from studio import __version__
from studio.cli.main import main as studio
from studio.library.notes import RunNotes, write_notes
from tests.released_runs import FOLDER

_SETTINGS = (
    *("name=released", "model.hidden_units=4", "model.chains=16", "batch.average_size=16", "perturbation.offsets.2=-1"),
    *("cadence.log_every=5", "cadence.samples=4", "cadence.sample_every=3600", "threads=1", "device=cpu"),
    'perturbation.terms=[{"kind":"linear","feature":"ink","slope":-0.01}]',
)
_MOST_BYTES = 200_000


def main() -> int:
    """Write it."""
    out = FOLDER / f"{__version__}.zip"
    if out.exists():
        print(f"{out} is there already; a released run stays as it is", file=sys.stderr)
        return 2
    with TemporaryDirectory() as place:
        run = Path(place) / "released"
        settings = [word for setting in _SETTINGS for word in ("--set", setting)]
        for command in (
            ["train", "digits-rbm", "--steps", "10", "--run-dir", str(run), *settings],
            ["pin", str(run), "--step", "10"],
            ["resume", str(run), "--steps", "20"],
            ["evaluate", str(run), "--count", "100"],
        ):
            if studio(command):
                return 1
        for old in (0, 10):  # the pinned one stays
            (run / "checkpoints" / f"step-{old:08d}.safetensors").unlink()
        write_notes(run, RunNotes(name="Thirty per cent", tags=("kept",), notes="ΔH₂ = −1"))
        code = studio(["export", str(run), "--zip", str(out)])
    if out.stat().st_size > _MOST_BYTES:
        print(f"{out} has {out.stat().st_size:,} bytes, more than {_MOST_BYTES:,}", file=sys.stderr)
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
