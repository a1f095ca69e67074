"""A run's model for other programs: read back by onnxruntime, torch.export and safetensors, and run."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from studio.errors import Cancelled, UserError
from studio.library.export import network as network_module
from studio.library.export.network import write_program, write_weights
from studio.library.export.onnx_file import write_onnx
from studio.library.export.samples import write_samples
from studio.models.catalog import model_spec
from studio.models.hierarchical_vae.model import HierarchicalVae
from studio.models.views import ModelViews
from studio.progress import Progress
from studio.training.storage.run import Run, restore_model
from tests.library.made_runs import add_weights, make_config, make_run
from tests.threads import with_one_thread
from tests.training.conftest import FAMILIES

pytestmark = pytest.mark.slow  # a translation loads torch's compiler

ROOT = Path(__file__).resolve().parents[2]
_SMALL = {"width": 4, "latent_size": 4, "hidden_units": 4, "buffer_size": 16}


one_thread = pytest.fixture(autouse=True, scope="module")(with_one_thread)


def make_model_run(root: Path, kind: str, *, conditional: bool = False, **summary: Any) -> Path:
    fields = model_spec(kind).config.model_fields
    small: dict[str, Any] = {name: value for name, value in _SMALL.items() if name in fields}
    small |= {"conditional": True} if conditional else {}
    return add_weights(make_run(root, kind, make_config(model=kind, **small), frames=0, summary=summary))


@pytest.fixture
def vae(tmp_path: Path) -> Path:
    return make_model_run(tmp_path, "vae")


def opened_program(path: Path) -> tuple[torch.nn.Module, dict[str, Any]]:
    extra: dict[str, Any] = {"about.json": ""}
    program = torch.export.load(path, extra_files=extra).module()
    return program, json.loads(extra["about.json"])


def run_onnx(path: Path, *arguments: Tensor) -> list[np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path.read_bytes(), options)
    names = [each.name for each in session.get_inputs()]
    return list(session.run(None, {name: each.numpy() for name, each in zip(names, arguments, strict=True)}))


@pytest.mark.parametrize(
    ("kind", "conditional"),
    [
        *((kind, False) for kind in (*FAMILIES, "gaussian_rbm", "autoencoder", "autoregressive")),
        *((kind, True) for kind in ("vae", "diffusion", "gan")),
    ],
)
def test_that_every_model_goes_both_ways(kind: str, conditional: bool, tmp_path: Path) -> None:
    run = make_model_run(tmp_path, kind, conditional=conditional)
    said = write_program(run, tmp_path / "model.pt2"), write_onnx(run, tmp_path / "model.onnx")
    exportable = restore_model(Run.open(run)).views.exportable()
    assert all(exportable.title in each and "averaged" in each for each in said)
    program, about = opened_program(tmp_path / "model.pt2")
    assert set(about["takes"]) == set(exportable.takes)
    for count in (1, 5):
        rng = torch.Generator().manual_seed(9)
        arguments = [argument.draw(count, rng) for argument in exportable.takes.values()]
        wanted = exportable.network(*arguments)
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        assert len(wanted) == len(exportable.gives)
        found = program(*arguments)
        for one, other in zip(found if isinstance(found, tuple | list) else (found,), wanted, strict=True):
            assert len(other) == count
            torch.testing.assert_close(one, other)
        for array, other in zip(run_onnx(tmp_path / "model.onnx", *arguments), wanted, strict=True):
            torch.testing.assert_close(torch.from_numpy(array), other, rtol=1e-4, atol=1e-4)


def test_that_an_onnx_file_tells_nothing_to_anyone(vae: Path, tmp_path: Path) -> None:
    """onnxruntime would begin a file of what it is to tell, with a number for this machine, in the home folder."""
    home = tmp_path / "home"
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    environment |= {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    command = [sys.executable, "-m", "studio", "export", str(vae), "--onnx", str(tmp_path / "vae.onnx")]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    assert (tmp_path / "vae.onnx").stat().st_size
    assert not [path for path in home.rglob("*") if "onnxruntime" in path.name]


def test_that_a_generator_makes_the_samples_of_its_run(tmp_path: Path) -> None:
    run = make_model_run(tmp_path, "wgan_gp")
    write_onnx(run, tmp_path / "model.onnx")
    write_samples(run, tmp_path / "samples.npz", count=5, seed=3)
    latents = torch.randn(5, 4, generator=torch.Generator().manual_seed(3))
    (images,) = run_onnx(tmp_path / "model.onnx", latents)
    with np.load(tmp_path / "samples.npz") as arrays:
        stored = np.rint(127.5 + 127.5 * images.transpose(0, 2, 3, 1))
        assert np.abs(stored - arrays["images"].astype(float)).max() <= 1  # half-way cases may round either way


def test_that_the_ladder_descends_as_it_samples(tmp_path: Path) -> None:
    run = make_model_run(tmp_path, "hierarchical_vae")
    model = restore_model(Run.open(run))
    exportable = model.views.exportable()
    wanted = model.sample(6, torch.Generator().manual_seed(5))
    assert isinstance(model, HierarchicalVae)
    latents = model.draw_latents(6, torch.Generator().manual_seed(5))
    torch.testing.assert_close(exportable.network(latents), wanted)
    code, own = latents.split((2, 4), dim=1)  # the topmost layer first
    by_hand = model.autoencoder.down[0](code).at(own)
    torch.testing.assert_close(wanted, model.autoencoder.likelihood.mean(model.autoencoder.decoder(by_hand)))


def test_that_points_of_the_plane_go_too(tmp_path: Path) -> None:
    plane: dict[str, Any] = {"image_shape": [2, 1, 1], "scale": {"centre": 0.0, "half": 4.0, "whole": False}}
    run = make_model_run(tmp_path, "vae", **plane)
    write_program(run, tmp_path / "model.pt2")
    program, about = opened_program(tmp_path / "model.pt2")
    assert program(torch.zeros(3, 4)).shape == (3, 2, 1, 1)
    assert about["scale"] == plane["scale"]


def test_that_raw_weights_are_had_for_the_asking(vae: Path, tmp_path: Path) -> None:
    latents = torch.ones(2, 4)
    found = {}
    for averaged in (True, False):
        assert ("averaged" if averaged else "raw") in write_program(vae, tmp_path / "model.pt2", averaged=averaged)
        found[averaged] = opened_program(tmp_path / "model.pt2")[0](latents)
    assert not torch.allclose(found[True], found[False])


def test_that_an_onnx_file_says_what_it_is_and_nothing_of_this_machine(vae: Path, tmp_path: Path) -> None:
    write_onnx(vae, tmp_path / "model.onnx")
    write_program(vae, tmp_path / "model.pt2")
    proto = onnx.load(tmp_path / "model.onnx")
    about = {each.key: json.loads(each.value) for each in proto.metadata_props}
    assert about["model"] == "VAE"
    assert about["scale"] == {"centre": 127.5, "half": 127.5, "whole": True}
    assert [value.type.tensor_type.shape.dim[0].dim_param for value in (*proto.graph.input, *proto.graph.output)] == [
        "batch",
        "batch",
    ]
    for name in ("model.onnx", "model.pt2"):
        content = (tmp_path / name).read_bytes()
        assert str(Path(network_module.__file__).parents[2]).encode() not in content
        assert str(tmp_path).encode() not in content


@pytest.mark.parametrize("write", [write_onnx, write_program])
def test_that_what_does_not_agree_is_not_written(
    write: Any, vae: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network_module, "TOLERANCE", -1.0)
    with pytest.raises(UserError, match=r"does not reproduce the model.*Nothing was saved"):
        write(vae, tmp_path / "out" / "model")
    assert not (tmp_path / "out").exists()


def test_that_shapes_and_missing_numbers_are_no_agreement() -> None:
    one = torch.ones(2, 3)
    assert network_module._error((one,), (one[:1],)) == float("inf")
    assert network_module._error((one / 0 * 0,), (one,)) == float("inf")
    assert network_module._error((one * 11,), (one * 10,)) == pytest.approx(0.1)


def test_that_a_model_without_such_a_part_says_so(vae: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.models.vae.model.Vae.views", ModelViews())
    with pytest.raises(UserError, match="kind VAE has no part"):
        write_program(vae, tmp_path / "model.pt2")


def test_that_a_run_without_weights_says_so(tmp_path: Path) -> None:
    run = make_run(tmp_path, "bare")
    for write in (write_onnx, write_program, write_weights):
        with pytest.raises(UserError, match="weights cannot be read"):
            write(run, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_that_a_missing_package_is_named_with_its_extra(
    vae: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match=r'pip install "perturbation-studio\[onnx\]"'):
        write_onnx(vae, tmp_path / "model.onnx")


def test_that_an_export_that_is_called_off_leaves_nothing(vae: Path, tmp_path: Path, cancelled: Progress) -> None:
    with pytest.raises(Cancelled):
        write_program(vae, tmp_path / "model.pt2", cancelled)
    assert not (tmp_path / "model.pt2").exists()


def test_that_weights_can_be_put_into_the_model_again(vae: Path, tmp_path: Path) -> None:
    count = write_weights(vae, tmp_path / "model.safetensors")
    model = restore_model(Run.open(vae))
    with safe_open(tmp_path / "model.safetensors", framework="pt") as file:
        found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dict
        metadata = file.metadata()
    model.load_state_dict(found)
    assert count == sum(tensor.numel() for tensor in found.values())
    assert json.loads(metadata["model"])["kind"] == "vae"
    assert json.loads(metadata["image_shape"]) == [1, 8, 8]
    assert (metadata["run"], metadata["step"], metadata["weights"]) == (vae.name, "100", "averaged")
    write_weights(vae, tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "model.safetensors").read_bytes()
