from PySide6.QtWidgets import QStyle, QStyleOptionComboBox
from pytestqt.qtbot import QtBot

from studio.data.catalog import DATASETS
from studio.gui.forms.fields import ChoiceField
from studio.gui.forms.forms import SettingsForm
from studio.gui.widgets.choice_box import ChoiceBox
from studio.gui.widgets.theme import ThemeManager
from studio.models.catalog import MODELS
from studio.settings import Settings

NARROW_PANEL = 256


def test_that_an_open_list_shows_every_choice_whole(qtbot: QtBot, dressed: ThemeManager) -> None:
    box = ChoiceBox()
    qtbot.addWidget(box)
    box.setFixedWidth(120)
    box.show()
    for count in (2, 5, 10):
        box.clear()
        box.addItems([f"A title that is longer than the box, number {place}" for place in range(count)])
        box.showPopup()
        view = box.view()
        qtbot.waitUntil(view.isVisible)
        last = view.visualRect(view.model().index(count - 1, 0))
        assert view.viewport().rect().contains(last)
        assert last.width() >= view.sizeHintForColumn(0)
        box.hidePopup()


def test_that_no_choice_of_a_form_is_cut_off(qtbot: QtBot, dressed: ThemeManager) -> None:
    kinds: list[type[Settings]] = [*(spec.config for spec in MODELS), *(spec.config for spec in DATASETS)]
    for kind in kinds:
        form = SettingsForm(kind, dressed)
        qtbot.addWidget(form)
        form.resize(NARROW_PANEL, 800)
        form.show()
        for box in form.findChildren(ChoiceField):
            option = QStyleOptionComboBox()
            box.initStyleOption(option)
            control, part = QStyle.ComplexControl.CC_ComboBox, QStyle.SubControl.SC_ComboBoxEditField
            room = box.style().subControlRect(control, option, part, box).width()
            for place in range(box.count()):
                assert box.fontMetrics().horizontalAdvance(box.itemText(place)) <= room, box.itemText(place)
        form.hide()
