"""Title and tooltip of what every restricted Boltzmann machine reports. Free of torch."""

from __future__ import annotations

METRICS: dict[str, tuple[str, str]] = {
    "reconstruction": (
        "Reconstruction",
        "How far an image is from itself after one pass up and down. Weighted mean of √⟨(v − ⟨v⟩(⟨h⟩))²⟩.",
    ),
    "hidden_activity": (
        "Hidden activity",
        "How many hidden units an example switches on; near 0 or 1 they say nothing. Weighted mean of p(h = 1|v).",
    ),
    "chain_motion": (
        "Chain motion",
        "How much one sweep changes a chain's hidden units; near 0 the chains stick. Mean of |p(h|v′) − p(h|v)|.",
    ),
    "swap_rate": (
        "Swap rate",
        "How often neighbouring temperatures exchange chains; 0.2 to 0.5 is good. Share of exchanges accepted.",
    ),
}
