"""Tests of the studio; they mirror its layout. Run them with ``python3 -m tests``."""
