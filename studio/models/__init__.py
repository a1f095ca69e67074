"""Generative models behind one seam: `losses(phase, batch, rng) → LossTerms` and `sample(count, rng)`."""
