"""What every test gets: no screen, no settings of the person's, and a check that nothing outlives it.

Nothing here imports Qt or torch, so a test that needs neither starts at once.
"""

import builtins
import gc
import itertools
import os
import signal
import sys
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import hypothesis
import pytest

from studio.progress import Progress

# No test is about how long it takes: a busy machine would fail it. Every check draws other examples.
hypothesis.settings.register_profile(
    "studio", deadline=None, max_examples=25, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("studio")
LETTERS = hypothesis.strategies.characters(exclude_categories=["Cs"])
"""Any letter but surrogates; by itself hypothesis makes a table of UTF-8 for them, which takes seconds."""

# Before anything imports Qt or torch: both read these once.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# The models are tiny, so a second thread gains nothing; on a busy machine two wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Tests tell nothing to anyone, either: onnxruntime would, as it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

# Widgets must be destroyed where they were made, so no other thread may collect them: studio/gui/widgets/garbage.py.
gc.disable()

# A shell's background jobs ignore Ctrl-C, and so would the processes that tests send it to.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

JOIN_GRACE_S = 30.0  # a thread that was asked to stop may take this long to be gone, on a busy machine
_DIRECTORIES = {
    "HOME": "home",
    "USERPROFILE": "home",
    "APPDATA": "appdata",
    "LOCALAPPDATA": "localappdata",
    "XDG_CACHE_HOME": "home/.cache",
    "XDG_CONFIG_HOME": "home/.config",
    "XDG_DATA_HOME": "home/.local/share",
    "XDG_STATE_HOME": "home/.local/state",
    "XDG_DOCUMENTS_DIR": "home/Documents",
    "XDG_RUNTIME_DIR": "runtime",
}


_import = builtins.__import__


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """Take PySide6's own `import` away again, as the studio does: it reads the source of all that torch consists of."""
    builtins.__import__ = _import


_SLOW_TIMEOUT_S = 300
"""Slow tests may take longer: some train for a minute of two idle cores."""


def pytest_collection_finish() -> None:
    """Never look again for garbage among what the modules made: each collection takes as long as there are objects."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give slow tests a longer timeout, unless they name one, and begin with the longest, which would be waited for."""
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(_SLOW_TIMEOUT_S))
    items.sort(key=lambda item: -_timeout(item))


def _timeout(item: pytest.Item) -> float:
    mark = item.get_closest_marker("timeout")
    return float(mark.args[0]) if mark is not None else 0.0


_FAST_S = 0.5
"""Seconds of a processor that a fast test may take: the thousands of them are waited for."""
_NOISE, _CHANCE = 3.0, 6.0
"""How much longer it may seem to take, as a run beside it computes while the test waits, and with Hypothesis, which
draws other examples every time and builds its table of characters once in a checkout."""
_FIRST_USE = 50
"""Modules; a test that is the first of its process to need a package also pays for importing it."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Function) -> Generator[None, object, object]:
    """Fail a fast test that takes too long, by processor time and not by the clock: others may use the machine."""
    begun, modules = _processor_s(), len(sys.modules)
    result = yield
    spent = _processor_s() - begun
    fast = not any(item.get_closest_marker(name) for name in ("slow", "long"))
    most = _FAST_S * (_CHANCE if hypothesis.is_hypothesis_test(item.obj) else _NOISE)
    if fast and spent > most and len(sys.modules) - modules < _FIRST_USE:
        spent /= slowness()
        if spent > most:
            pytest.fail(f"A fast test may take {_FAST_S} s of a processor; this one took {spent:.1f} s", pytrace=False)
    return result


def _processor_s() -> float:
    """Of this process, its threads, and those that it started and waited for."""
    return sum(os.times()[:4])


def slowness() -> float:
    """How many times slower this machine is, just now, than one that adds 33 million numbers a second; at least 1."""
    begun = time.process_time()
    sum(number for number in range(1_000_000))
    return max(1.0, (time.process_time() - begun) / 0.03)


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with all that a home has; the same one again as long as nothing was written there."""
    return _homes(tmp_path_factory.mktemp("homes"))


def _homes(folder: Path) -> Iterator[Path]:
    for number in itertools.count():
        root = folder / str(number)
        for name in _DIRECTORIES.values():
            (root / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        untouched = list(os.walk(root))
        while list(os.walk(root)) == untouched:
            yield root


@pytest.fixture(autouse=True)
def private_home(homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh home for each test, so that no test reads or writes the person's settings, runs or data."""
    root = next(homes)
    for variable, name in _DIRECTORIES.items():
        monkeypatch.setenv(variable, f"{root}/{name}")
    qtcore = sys.modules.get("PySide6.QtCore")
    if qtcore is not None:  # QSettings looks at the variables once in a process
        for kind in (qtcore.QSettings.Format.NativeFormat, qtcore.QSettings.Format.IniFormat):
            qtcore.QSettings.setPath(kind, qtcore.QSettings.Scope.UserScope, str(root / "home" / ".config"))
    return root / "home"


@pytest.fixture(autouse=True)
def nothing_outlives_the_test() -> Iterator[None]:
    """Fail a test that leaves a thread running or a top-level widget open."""
    before = set(threading.enumerate())
    yield
    leaked = _threads_left(before)
    widgets = _close_widgets_left()
    _collect_garbage()
    if leaked:
        pytest.fail(f"threads outlived the test: {', '.join(sorted(thread.name for thread in leaked))}")
    if widgets:
        pytest.fail(f"top-level widgets outlived the test: {', '.join(sorted(widgets))}")


def _threads_left(before: set[threading.Thread]) -> set[threading.Thread]:
    """Threads started since `before` and alive after the grace; a tqdm monitor lives as long as Python does."""
    deadline = time.monotonic() + JOIN_GRACE_S
    left = {thread for thread in threading.enumerate() if type(thread).__name__ != "TMonitor"} - before
    for thread in left:
        thread.join(max(0.0, deadline - time.monotonic()))
    return {thread for thread in left if thread.is_alive()}


def _close_widgets_left() -> list[str]:
    """Names of visible top-level widgets, which are closed here so that the next test starts clean."""
    qtwidgets = sys.modules.get("PySide6.QtWidgets")
    if qtwidgets is None or qtwidgets.QApplication.instance() is None:
        return []
    widgets = qtwidgets.QApplication.topLevelWidgets()
    left = [widget for widget in widgets if widget.isVisible() and not widget.property("lent")]
    names = [f"{type(widget).__name__} {widget.objectName()!r}" for widget in left]
    for widget in left:
        widget.hide()
        widget.deleteLater()
    return names


def _collect_garbage() -> None:
    if "PySide6.QtCore" not in sys.modules:
        gc.collect()
        return
    from studio.gui.widgets.garbage import collect_due

    collect_due()


@pytest.fixture
def cancelled() -> Progress:
    """Of what was called off before it began."""
    progress = Progress()
    progress.cancel()
    return progress


@pytest.fixture
def quick_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge that is trained for a moment only."""
    monkeypatch.setattr("studio.evaluation.judge._SEEN", 2_000)


@pytest.fixture(scope="session")
def judges_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For all the processes that the tests run in, each of which has a folder in that of the session."""
    folder = tmp_path_factory.getbasetemp()
    return (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "judges"


@pytest.fixture
def kept_judge(judges_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is trained for longer, but once for each data set: it is kept from test to test.

    That of the digits is there before a test begins, and counts as no time of the first that needs it.
    """
    from studio.data.digits import DigitsConfig, load_digits
    from studio.evaluation.judge_store import judge_for

    monkeypatch.setattr("studio.evaluation.judge._SEEN", 20_000)
    monkeypatch.setattr("studio.evaluation.judge_store.cache_dir", lambda: judges_folder)
    judge_for(load_digits(DigitsConfig(), judges_folder, Progress()), Progress())


@pytest.fixture(scope="session")
def mnist_root() -> Path:
    """Folder that torchvision opens as ``MNIST(root, download=False)``: ``../shared/data`` beside the checkout."""
    root = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not (root / "MNIST" / "raw").is_dir():
        pytest.skip("MNIST is not beside this checkout (../shared/data/MNIST/raw)")
    return root
