"""What the C runtime is told, each time in a process of its own."""

import os
import subprocess
import sys

import pytest

_ASK = """
import os, sys
sys.platform = sys.argv[1]
import ctypes
told = []
class Library:
    @staticmethod
    def mallopt(parameter, value):
        told.append((parameter, value))
ctypes.CDLL = lambda name: Library
from studio.runtime import prepare_runtime
prepare_runtime()
print(os.environ["GOMP_SPINCOUNT"], os.environ["OPENBLAS_NUM_THREADS"], told)
"""


def _told(platform: str, **environment: str) -> str:
    command = [sys.executable, "-c", _ASK, platform]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def test_that_threads_spin_briefly_and_freed_memory_is_kept_in_one_heap() -> None:
    assert _told("linux") == f"10000 1 [(-3, {32 << 20}), (-1, {256 << 20}), (-8, 1)]"


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_that_only_glibc_is_told_about_memory(platform: str) -> None:
    assert _told(platform) == "10000 1 []"


def test_that_no_threads_of_numpys_own_are_begun() -> None:
    """They would wait for torch's while the window sums over all examples."""
    code = "import os; from studio.runtime import prepare_runtime; prepare_runtime(); import numpy"
    code += "; print(len(os.listdir('/proc/self/task')))"
    if not os.path.isdir("/proc/self/task"):
        pytest.skip("this system does not list a process's threads")
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told == "1\n"


def test_that_a_choice_in_the_environment_is_kept() -> None:
    assert _told("linux", GOMP_SPINCOUNT="5", OPENBLAS_NUM_THREADS="2", MALLOC_TOP_PAD_="0") == "5 2 []"


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt(3) is glibc's")
def test_that_glibc_accepts_both_bounds() -> None:
    import ctypes

    from studio import runtime

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        pytest.skip("this C library has no mallopt")
    assert mallopt(runtime._MMAP_THRESHOLD, runtime._FROM_HEAP) == 1
    assert mallopt(runtime._TRIM_THRESHOLD, runtime._KEPT) == 1
