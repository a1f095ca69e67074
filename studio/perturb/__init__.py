"""The idea itself: p′(x) ∝ p(x)·exp(−ΔH(x)). NumPy only."""
