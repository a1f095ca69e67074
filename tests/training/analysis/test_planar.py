"""Points are learned by the trainer that learns images, by every model that can."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from studio.data.catalog import load_dataset
from studio.data.planar.config import RingConfig
from studio.data.planar.point_set import PointSet
from studio.errors import UserError
from studio.library.export.samples import write_samples
from studio.library.run_summary import summary_of
from studio.models.adversarial.model import Adversarial
from studio.models.diagnostic import Pictures
from studio.models.plane import Arrows, Field, Flow, Net
from studio.models.plane_views import grid, kernel_log_density
from studio.perturb.perturbation import target_shares
from studio.training.analysis.plane_watch import PlaneWatch
from studio.training.config.run_config import RunConfig, StopCondition
from studio.training.engine.trainer import Trainer
from studio.training.messages.commands import Command, SetDelay, Step, Stop
from studio.training.messages.events import Logged
from studio.training.messages.mailbox import Mailbox
from studio.training.messages.snapshot import PlaneFrame
from studio.training.run.loop import RunLoop
from studio.training.storage.frames import FrameStore
from studio.training.storage.recorder import Recorder
from studio.training.storage.run_folder import RunFolder
from tests.training.conftest import FAMILIES, WatchedRun, tiny_config

_NEEDED = {"vae": {"likelihood": "gaussian"}, "hierarchical_vae": {"likelihood": "gaussian"}}
_REFUSED = {"rbm": "model.kind", "vae": "model.likelihood", "hierarchical_vae": "model.likelihood"}

every_family = pytest.mark.parametrize("kind", [*FAMILIES, "gaussian_rbm"])


def ring(count: int = 200) -> PointSet:
    found = load_dataset(RingConfig(count=count), Path())
    assert isinstance(found, PointSet)
    return found


def planar_config(kind: str, **model: object) -> RunConfig:
    return tiny_config(kind, dataset={"kind": "planar_ring"}, perturbation={"offsets": {"1": -1.0}}, model=model)


@every_family
def test_that_every_model_learns_points_or_says_which_field_is_at_fault(kind: str) -> None:
    if kind in _REFUSED:
        with pytest.raises(UserError) as caught:
            Trainer(planar_config(kind), ring())
        assert caught.value.field == _REFUSED[kind]
        assert caught.value.hint
    if kind == "rbm":
        return
    trainer = Trainer(planar_config(kind, **_NEEDED.get(kind, {})), ring())
    for _ in range(3):
        report = trainer.step()
    assert all(np.isfinite(value) for name, value in report.values().items() if name.startswith("loss"))
    points = trainer.sample(7)
    assert points.shape == (7, 1, 1, 2)
    assert points.dtype == np.float32
    assert np.abs(points).max() <= 4
    assert not any(isinstance(found, Pictures) for found in trainer.diagnose())


@every_family
def test_that_a_frame_holds_points_and_views_of_the_plane_and_changes_nothing(kind: str) -> None:
    if kind == "rbm":
        return
    trainer = Trainer(planar_config(kind, **_NEEDED.get(kind, {})), ring())
    trainer.step()
    before = {name: tensor.clone() for name, tensor in trainer.model.state_dict().items()}
    frame = PlaneWatch(trainer, ring().plane).frame()
    assert frame.points.shape[1] == 2
    assert frame.labels.shape == (len(frame.points),)
    assert frame.views
    assert len({view.name for view in frame.views}) == len(frame.views)
    for view in frame.views:
        assert view.tip.count(". ") >= 1
        match view:
            case Field():
                assert view.values.shape == (40, 40)
                assert np.isfinite(view.values).all()
                if view.density:
                    assert np.exp(view.values).sum() * (2 / 40) ** 2 == pytest.approx(1)
            case Arrows():
                assert view.at.shape == view.along.shape == (len(frame.points), 2)
                assert np.isfinite(view.along).all()
            case Net() | Flow():
                assert view.knots.ndim == 3
                assert np.isfinite(view.knots).all()
    assert any(isinstance(view, Flow) for view in frame.views)
    assert all(torch.equal(tensor, before[name]) for name, tensor in trainer.model.state_dict().items())


def test_that_a_hurried_frame_draws_as_many_points_anew_as_there_is_time_for(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Trainer(planar_config("gan"), ring())
    watch = PlaneWatch(trainer, ring().plane)

    def changed(before: PlaneFrame, after: PlaneFrame) -> list[bool]:
        """Of each part, whether it was drawn anew by other weights."""
        return [
            bool((points[0] != points[1]).any()) for points in zip(*(_parts(f) for f in (before, after)), strict=True)
        ]

    def _parts(frame: PlaneFrame) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
        return np.split(frame.points, 4)

    frames = [watch.frame()]
    monkeypatch.setattr("studio.training.analysis.plane_watch._DRAWN_SECONDS", 0.0)
    for _ in range(2):
        trainer.step()
        frames.append(watch.frame(hurried=True))
    assert changed(frames[0], frames[1]) == [True, False, False, False]
    assert changed(frames[1], frames[2]) == [False, True, False, False]
    trainer.step()
    assert all(changed(frames[2], watch.frame()))
    np.testing.assert_array_equal(watch.frame().points, watch.frame().points)  # the latents stay the same


def test_that_what_takes_long_is_shown_at_leisure(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer, drawn = Trainer(planar_config("diffusion"), ring()), []

    def density(_: object, points: torch.Tensor, rng: torch.Generator) -> tuple[Field, ...]:
        drawn.append(trainer.step_count)
        spent.append(0.2)
        return (Field(name="model_density", title="Density", tip="A. B.", unit="nats", values=np.zeros((40, 40))),)

    spent = [0.0]
    now = [0.0]
    monkeypatch.setattr(type(trainer.model.views), "on_plane_at_leisure", density)
    watch = PlaneWatch(trainer, ring().plane)
    monkeypatch.setattr("studio.training.analysis.plane_watch.time.thread_time", lambda: sum(spent))
    monkeypatch.setattr("studio.training.analysis.plane_watch.time.perf_counter", lambda: now[0])
    for second in range(6):
        now[0] = second
        assert "model_density" in {view.name for view in watch.frame(hurried=True).views}
        trainer.step()
    assert drawn == [0, 2, 4]  # 0.2 s of processor time, a tenth of all time


def test_that_a_decoders_density_on_the_grid_is_the_mean_of_its_kernels() -> None:
    centres, log_width = 0.3 * torch.randn(30, 2, 1, 1, generator=torch.Generator().manual_seed(0)), torch.tensor(-1.5)
    kernels = torch.distributions.Normal(centres.flatten(1)[:, None], log_width.exp())
    expected = kernels.log_prob(grid(centres).flatten(1)).sum(2).logsumexp(0) - math.log(30)
    torch.testing.assert_close(kernel_log_density(centres, log_width).float(), expected)


def test_that_arrows_are_the_slope_of_the_critic_that_the_generator_follows() -> None:
    """A Wasserstein generator goes up D: the arrows are its finite differences."""
    trainer = Trainer(planar_config("wgan_gp"), ring())
    view = next(v for v in PlaneWatch(trainer, ring().plane).frame().views if isinstance(v, Arrows))
    critic = trainer.model.get_submodule("critic").double()
    at = torch.from_numpy(view.at)[:, :, None, None]
    for axis in range(2):
        step = torch.zeros(1, 2, 1, 1, dtype=torch.float64)
        step[0, axis] = 1e-5
        slope = (critic(at + step) - critic(at - step)).squeeze(1).detach() / 2e-5
        np.testing.assert_allclose(view.along[:, axis], slope.numpy(), rtol=1e-3, atol=1e-6)


def test_that_distances_fall_when_the_model_is_the_target_and_follow_an_edit(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Trainer(planar_config("gan"), ring())
    plane, rng = ring().plane, np.random.default_rng(0)
    shares = np.full(8, 1 / 8)

    def perfect(count: int, **_: object) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return rng.permutation(plane.draw_mixture(count, shares, rng)).astype(np.float32).reshape(-1, 1, 1, 2)

    monkeypatch.setattr(trainer, "sample", perfect)
    watch = PlaneWatch(trainer, plane)
    watch.measure()
    tilted, trainer_shares = dict(watch.values), target_shares(trainer.data.counts, trainer.perturbation.class_energies)
    trainer.retarget(RunConfig().perturbation.resolve(trainer.data.class_names, revision=1))
    monkeypatch.setattr("studio.training.analysis.plane_watch._MEASURE_SECONDS", 0)
    watch = PlaneWatch(trainer, plane)
    watch.measure()
    assert watch.values["plane_js"] == pytest.approx(0, abs=0.01)
    assert watch.values["plane_kl"] == pytest.approx(0, abs=0.02)
    assert watch.values["plane_w1"] < 1.6 * watch.values["plane_w1_floor"]
    assert tilted["plane_js"] > watch.values["plane_js"] + 0.01
    assert tilted["plane_tv"] == pytest.approx(0.5 * np.abs(trainer_shares - shares).sum(), abs=0.03)
    assert watch.values["plane_tv"] < 0.04  # of 2,000 points in 8 classes, by chance


def test_that_distances_from_the_target_before_are_not_repeated_after_an_edit() -> None:
    trainer = Trainer(planar_config("gan"), ring())
    watch = PlaneWatch(trainer, ring().plane)
    watch.measure()
    before = dict(watch.values)
    watch.measure()
    assert watch.values == before, "it is not time yet"
    trainer.retarget(RunConfig().perturbation.resolve(trainer.data.class_names, revision=1))
    watch.measure()
    assert not watch.values
    watch._next_measure = 0.0
    watch.measure()
    assert watch.values.keys() == before.keys()


def test_that_a_critic_of_slope_1_has_the_distance_of_shifted_points_for_its_gap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trainer = Trainer(planar_config("wgan_gp"), ring())
    assert isinstance(trainer.model, Adversarial)
    watch = PlaneWatch(trainer, ring().plane)
    monkeypatch.setattr(trainer.model, "scores", lambda points: points[:, 0, 0, 0])
    monkeypatch.setattr(trainer, "sample", lambda count, **_: watch._points.reshape(-1, 1, 1, 2) - [0.5, 0])
    watch.measure()
    assert watch.values["plane_gap"] == pytest.approx(0.5, abs=1e-5)
    assert watch.values["plane_w1"] == pytest.approx(0.5, abs=1e-5)


def test_that_a_loss_that_is_no_distance_has_no_gap_beside_w1() -> None:
    watch = PlaneWatch(Trainer(planar_config("gan"), ring()), ring().plane)
    watch.measure()
    assert "plane_w1" in watch.values
    assert "plane_gap" not in watch.values


def test_that_a_run_on_points_is_logged_kept_and_sampled(tmp_path: Path) -> None:
    mailbox, config = Mailbox(), planar_config("gan")
    trainer = Trainer(config, ring())
    recorder = Recorder(RunFolder.at(tmp_path / "run", config), trainer)
    RunLoop(trainer, mailbox, recorder, StopCondition(steps=4)).run()
    snapshot = mailbox.take_snapshot()
    assert snapshot.plane.step == 4
    assert snapshot.grid.raw.shape == (1, 128, 128, 1)
    assert snapshot.planned.images.shape[1:] == (32, 32, 1)
    kept = FrameStore(tmp_path / "run").at(4)
    np.testing.assert_allclose(kept.points, snapshot.plane.points, atol=1e-6)
    assert np.array_equal(kept.labels, snapshot.plane.labels)
    points = [event for event in mailbox.events()[0] if isinstance(event, Logged)]
    assert {"plane_js", "plane_kl", "plane_w1", "plane_w1_floor", "plane_tv"} <= set(points[-1].values)
    newest = [event.values["plane_tv"] for event in points if "plane_tv" in event.values][-1]
    assert summary_of(tmp_path / "run").share_error == newest
    write_samples(tmp_path / "run", tmp_path / "points.npz", count=5)
    with np.load(tmp_path / "points.npz") as arrays:
        assert arrays["points"].shape == (5, 2)
        assert 0 < np.abs(arrays["points"]).max() <= 4


def test_that_a_refusal_ends_a_run_without_a_window_with_its_field(start_run: Callable[..., WatchedRun]) -> None:
    finished = start_run(planar_config("rbm"), data=lambda _: ring()).finish()
    assert finished.error.field == "model.kind"


def test_that_one_network_can_be_stepped_alone() -> None:
    trainer = Trainer(planar_config("gan"), ring())
    for network, other in (("critic", "generator"), ("generator", "critic")):
        before = {name: weight.detach().clone() for name, weight in trainer.model.named_parameters()}
        trainer.step(network)
        after = trainer.model.named_parameters()
        moved = {name.split(".")[0] for name, weight in after if not torch.equal(weight, before[name])}
        assert network in moved
        assert other not in moved


def test_that_slow_motion_waits_after_each_step_and_still_hears(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float | None] = []
    script: Iterator[list[Command]] = iter(
        [[SetDelay(seconds=0.5)], [], [SetDelay(seconds=0.0)], [], [Step(network="critic")], [Stop()]]
    )

    class Heard(Mailbox):
        def commands(self, *, wait: float | None = None) -> list[Command]:
            waits.append(wait)
            return next(script)

    trainer = Trainer(planar_config("gan"), ring())
    RunLoop(trainer, Heard()).run()
    assert waits == [None, 0.5, 0.5, None, None, 0.25]
    assert trainer.step_count == 5
