"""What a run shows beside its samples, as bytes for a file and back: a model's diagnostics, planned examples, and what
lies on the plane. Deflated JSON; numbers as float32 in base64, images as PNG.

What comes back may be a stranger's: every shape and size is checked, and nothing unfolds beyond 64 MiB.
"""

from studio.training.storage.views.arrays import inflated
from studio.training.storage.views.batch import pack_batch, unpack_batch
from studio.training.storage.views.diagnostics import pack_diagnostics, unpack_diagnostics

__all__ = ["inflated", "pack_batch", "pack_diagnostics", "unpack_batch", "unpack_diagnostics"]
