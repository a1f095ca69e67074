"""A model is one folder and one line of the catalog: with them it has presets and is trained, kept and drawn from."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import studio
from studio.paths import resources

_TOY = '''
from typing import Literal
from studio.models.config import ModelConfig, OptimiserConfig
from studio.models.spec import ModelSpec, built_by
from studio.settings import setting

class ToyConfig(ModelConfig):
    """Settings of the toy."""
    kind: Literal["toy"] = "toy"
    mean_optimiser: OptimiserConfig = setting(OptimiserConfig(), "Mean", "How the mean is learned.")

SPEC = ModelSpec(
    title="Toy", summary="A mean image and noise.", config=ToyConfig, build=built_by("toy.model.Toy")
)
'''
_MODEL = '''
import torch
from studio.models.base import GenerativeModel, LossTerms, Phase

class Toy(GenerativeModel):
    """N(mean, 1) of every pixel."""
    def __init__(self, config, shape):
        super().__init__(shape)
        self.latent_shape = shape
        self.mean = torch.nn.Linear(1, shape[0] * shape[1] * shape[2])
    latent_shape = None
    def phases(self):
        return (Phase(network="mean"),)
    def losses(self, phase, batch, rng):
        return LossTerms(data=(batch.images - self._image()).square().mean((1, 2, 3)))
    def decode(self, latents, rng=None):
        return (self._image() + latents).clamp(-1, 1)
    def _image(self):
        return self.mean(self.mean.weight.new_ones(1)).view(self.image_shape)
'''
_SCRIPT = """
import sys
from studio.cli.main import main
from studio.training.config.presets import presets
assert {"digits-toy", "mnist-twos-30-toy", "planar-toy"} <= {preset.name for preset in presets()}
run, out = sys.argv[1:]
assert main(["train", "digits-toy", "--steps", "3", "--run-dir", run, "--set", "cadence.log_every=1"]) == 0
assert main(["sample", run, "--out", out, "--count", "2"]) == 0
"""


@pytest.mark.slow
def test_that_a_model_is_a_folder_and_a_line_of_the_catalog(tmp_path: Path) -> None:
    package = tmp_path / "studio"
    shutil.copytree(Path(studio.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "resources").symlink_to(resources())
    (package / "models" / "toy").mkdir()
    (package / "models" / "toy" / "__init__.py").write_text(_TOY)
    (package / "models" / "toy" / "model.py").write_text(_MODEL)
    catalog = package / "models" / "catalog.py"
    lines = catalog.read_text().replace("    adversarial,\n", "    adversarial,\n    toy,\n", 1)
    catalog.write_text(lines.replace("    ebm.SPEC,\n", "    ebm.SPEC,\n    toy.SPEC,\n"))
    subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(tmp_path / "run"), str(tmp_path / "samples.npz")],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        check=True,
    )
    assert (tmp_path / "samples.npz").exists()
