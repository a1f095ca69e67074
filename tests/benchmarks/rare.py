"""What is suggested for a rare class, against weights by error carry, on digits of which 8 are twos and 30 % are to be.

    python -m tests.benchmarks.rare [--models vae wgan_gp …] [--seeds 0] [--steps 1500]

Judged are 2,000 samples, by a committee that is trained on all digits. Printed is total variation and Fréchet distance,
each also over what error carry has in the same run.
"""

from pathlib import Path

import numpy as np

from studio.data.catalog import load_dataset
from studio.data.image_set import ImageSet
from studio.evaluation.evaluation import TiltedData, evaluate
from studio.evaluation.judge_store import judge_for
from studio.perturb.diagnostics import summarise
from studio.perturb.perturbation import Perturbation, offsets_for_some_shares, target_shares
from studio.progress import Progress
from studio.training.config.assignments import with_settings
from studio.training.config.presets import config_or_preset
from studio.training.config.recipes import better_recipe
from studio.training.engine.trainer import Trainer
from tests.benchmarks.options import parser_of
from tests.benchmarks.shelf import CLASS
from tests.benchmarks.speedrun import thin

PRESET, SHARE, WANTED, SAMPLES = "digits-vae", 0.005, 0.3, 2000


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--models", nargs="+", default=["vae", "wgan_gp", "diffusion", "flow_matching"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--steps", type=int, default=1500)
    options = parser.parse_args()
    whole = load_dataset(config_or_preset(PRESET).dataset, Path(), Progress())
    assert isinstance(whole, ImageSet)
    data, judge = thin(whole, SHARE), judge_for(whole, Progress())
    offsets = offsets_for_some_shares(data.counts, np.zeros(10), {CLASS: WANTED})
    shares = target_shares(data.counts, offsets)
    target = TiltedData.of(judge, np.log(shares / whole.counts)[whole.labels], SAMPLES)
    print(
        "| model | seed | recipe | share of 2s | TV | of error carry's | FD | of error carry's |\n" + "|---" * 8 + "|"
    )
    for model in options.models:
        for seed in options.seeds:
            asked = [f"model.kind={model}", f"seed={seed}", f"perturbation.offsets.{CLASS}={offsets[CLASS]}"]
            config = with_settings(config_or_preset(PRESET), asked)
            tilt = summarise(Perturbation(offsets=tuple(offsets)), data.counts, config.batch.average_size)
            recipe = better_recipe(tilt, config)
            assert recipe is not None
            stratified = with_settings(config, ["batch.planner=stratified"])
            entries = {"error carry": config, "stratified": stratified, "as suggested": recipe.of(config)}
            first = None
            for name, each in entries.items():
                trainer = Trainer(each, data)
                while trainer.step_count < options.steps:
                    trainer.step()
                images = np.asarray(trainer.sample(SAMPLES, seed=1), np.uint8)
                seen = evaluate(judge, target, images, judge.judge(images))
                first = first or seen
                print(
                    f"| {model} | {seed} | {name} | {100 * seen.shares.corrected[CLASS]:.1f} % | {seen.tv:.3f} "
                    f"| {seen.tv / first.tv:.2f} | {seen.frechet:.1f} | {seen.frechet / first.frechet:.2f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
