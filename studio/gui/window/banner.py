"""The banner: what the window is about, in words, and what can be done with that."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QLabel, QWidget

from studio.gui.state.subject import Aspect, Subject
from studio.gui.timeline.subject_control import SubjectControl
from studio.gui.widgets.buttons import tool_button
from studio.gui.widgets.labels import Elided
from studio.gui.widgets.layouts import row_of
from studio.gui.widgets.stylesheet import set_style_property
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import set_help, tooltip

_ROLES = {Aspect.SETUP: "muted", Aspect.TRAINING: "ok", Aspect.LOOKING: "warning"}
_LEAST, _LEAST_STATE = 180, 80  # pixels that a name and a state keep, so that a number moves nothing
_LEAST_NAME = 50  # beside a state that is more than a step
_ROOM = 400
"""Pixels that the toolbar has for it in a small window."""
_RESUME_TIP = "Resume this run from its last checkpoint, in its own folder."
_LIKE_TIP = "Load its configuration into the set-up, to change and start it."


class Banner(QFrame):
    """One line with its buttons; `wide` where it has more to say than the toolbar has room for."""

    resume_asked = Signal(object)  # Path of the run to go on with
    like_asked = Signal(object)  # Path of the run to set up another like
    widened = Signal()  # or no longer wide

    def __init__(self, subjects: SubjectControl, theme: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self._subjects = subjects
        self.wide = False
        self.dot = QLabel("●")
        self.words, self.state = Elided("subject", snug=True), Elided("subject_state", snug=True)
        self.state.setMinimumWidth(_LEAST_STATE)
        self.resume = tool_button("subject_resume", "Resume", _RESUME_TIP)
        self.resume.clicked.connect(lambda: self.resume_asked.emit(self._subjects.subject.resumable))
        self.like = tool_button("subject_like", "Set up like it", _LIKE_TIP)
        self.like.clicked.connect(lambda: self.like_asked.emit(self._subjects.subject.folder))
        tip = "Leave this run: its figures and pictures go."
        self.leave = tool_button("subject_leave", "Leave", tip, self._leave)
        buttons, air = (self.resume, self.like, self.leave), theme.tokens.spacing
        row_of(self.dot, self.words, self.state, 1, *buttons, inside=self, margins=(air, 0, air, 0), spacing=air // 2)
        subjects.subject_changed.connect(self._show)
        self._show(subjects.subject)

    @Slot()
    def _leave(self) -> None:
        if self._subjects.subject.offer is not None:
            self._subjects.offer(None)
        else:
            self._subjects.leave()

    @Slot(object)
    def _show(self, subject: Subject) -> None:
        looking, offered = subject.aspect is Aspect.LOOKING, subject.offer is not None
        leavable = looking or offered or subject.others is not None
        set_style_property(self.dot, "role", _ROLES[subject.aspect])
        for line, text, role in ((self.words, subject.name, "strong"), (self.state, subject.state, "muted")):
            if text != line.accessibleName():
                line.show_text(text, role)
                line.setAccessibleName(text)
        more = subject.paused or subject.elsewhere or subject.shown is not None
        long = self.state.sizeHint().width() if more else 0
        both = min(self.words.sizeHint().width(), _LEAST) + _LEAST_STATE  # whichever of them needs it
        state = max(_LEAST_STATE, min(long, both - _LEAST_NAME))
        self.state.setMinimumWidth(state)
        self.words.setMinimumWidth(both - state)
        set_help(self, "Subject", f"{subject.name}, {subject.state}".rstrip(", "))
        room = self.words.sizeHint().width() + self.state.sizeHint().width()
        wide = leavable or (subject.aspect is Aspect.SETUP and room > _ROOM)
        if wide:  # before it has the buttons, which would widen the window
            self._widen(wide)
        self.leave.setVisible(leavable)
        self.leave.setText("No" if offered else "Leave")
        self.like.setVisible(looking)
        self.resume.setVisible(looking or offered)
        for button, tip, why_not in (
            (self.resume, _RESUME_TIP, "" if offered else subject.waiting),
            (self.like, _LIKE_TIP, "" if subject.folder is not None else subject.waiting),
        ):
            button.setEnabled(not why_not)
            button.setToolTip(tooltip(why_not or tip))
        self._widen(wide)

    def _widen(self, wide: bool) -> None:
        if wide is not self.wide:
            self.wide = wide
            set_style_property(self, "wide", str(wide).lower())
            self.widened.emit()
