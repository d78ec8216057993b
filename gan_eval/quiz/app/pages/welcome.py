"""The first pages: who continues a session, what to do, consent, trying the keys, and that it starts now."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QLabel, QWidget

from gan_eval.quiz.app.keys import place_of, wanted_key
from gan_eval.quiz.app.pages.parts import StepPage, button, literal, text_label
from gan_eval.quiz.app.style import Look
from gan_eval.quiz.wording import Texts, confidence_keys, instructions, keys_in_order, meaning_of, welcome_title
from gan_eval.settings.quiz import ConsentSettings, QuizSettings


class ResumePage(StepPage):
    """Asks whether this is the person who began the session, before it continues."""

    denied = Signal()
    """Somebody else sits here."""

    def __init__(self, look: Look, texts: Texts, *, participant: str, began: datetime | None, today: datetime) -> None:
        """Make the page; `began` (None: not known) and `today` are in local time."""
        super().__init__(look, texts)
        self.add_text(texts("resume_title"), "title")
        self.add_text(texts("participant", participant=participant), "muted")
        if began is None:
            self.add_text(texts("resume_question_untimed"))
        else:
            day = "" if began.date() == today.date() else "_day"
            self.add_text(texts(f"resume_question{day}", time=f"{began:%H:%M}", date=f"{began:%Y-%m-%d}"))
        self.add_navigation(back="leave", hint="hint_welcome")
        self.buttons.insertWidget(1, button(texts("resume_no"), self.denied.emit))


class WelcomePage(StepPage):
    """The instructions and the keys."""

    def __init__(
        self,
        look: Look,
        texts: Texts,
        settings: QuizSettings,
        *,
        participant: str,
        keys: Mapping[str, str],
        trials: int,
        done: int,
        may_go_back: bool = False,
    ) -> None:
        """Make the page.

        Args:
            participant: the pseudonym.
            keys: this participant's key of each answer.
            trials: how many count.
            done: how many of them are done, where the session continues.
            may_go_back: there is a page before it; else going back means to exit.
        """
        super().__init__(look, texts)
        self.add_text(welcome_title(settings, texts), "title")
        self.add_text(texts("participant", participant=participant), "muted")
        if done:
            self.add_text(texts("welcome_back", done=done, trials=trials))
        for line in instructions(settings, trials, texts):
            self.add_text(line)
        self.body.addWidget(key_caps(look, texts, settings, keys))
        if may_go_back:
            self.add_navigation()
        else:
            self.add_navigation(back="leave", hint="hint_welcome")


class KeysPage(StepPage):
    """Every key that answers is pressed once before the first trial: a layout without them would answer nothing."""

    def __init__(self, look: Look, texts: Texts, settings: QuizSettings, *, keys: Mapping[str, str]) -> None:
        """Make the page.

        Args:
            keys: this participant's key of each answer.
        """
        super().__init__(look, texts, width=640)
        self.add_text(texts("keys_title"), "title")
        self.add_text(texts("keys_text"))
        rows = [key_caps(look, texts, settings, keys)]
        self.body.addWidget(rows[0])
        if settings.confidence:
            self.add_text(texts("keys_confidence"))
            rows.append(_caps(look, texts, [(*each, each[1]) for each in confidence_keys(settings, texts).items()]))
            self.body.addWidget(rows[1])
        self._caps = [(cap.text().lower(), cap) for row in rows for cap in row.findChildren(QLabel, "key")]
        self.untried = {key for key, _ in self._caps}
        self.problem = self.add_text("", "problem")
        self.add_text(texts("keys_help"), "muted")
        self.add_navigation()
        self.on.setEnabled(False)
        self.first = self
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  (Qt's name)
        """Mark the key; after the last one the page may be left."""
        place = place_of(event)
        key = wanted_key(event.text(), place, {key for key, _ in self._caps})
        if key is None:
            pressed = (event.text() if event.text().isprintable() else "") or place
            self.problem.setText(self.texts("keys_unknown", key=pressed.upper()) if pressed.strip() else "")
            super().keyPressEvent(event)
            return
        self.problem.setText("")
        for cap in [cap for each, cap in self._caps if each == key and key in self.untried]:
            cap.setText(f"{cap.text()} ✓")
        self.untried.discard(key)
        if not self.untried and not self.on.isEnabled():
            self.add_text(self.texts("keys_done"))
            self.on.setEnabled(True)
            self.on.setFocus()


class ReadyPage(StepPage):
    """The last page before trials: practice, or what counts."""

    def __init__(
        self,
        look: Look,
        texts: Texts,
        settings: QuizSettings,
        *,
        keys: Mapping[str, str],
        title: str,
        text: str,
        may_go_back: bool,
    ) -> None:
        """Make the page.

        Args:
            keys: this participant's key of each answer.
            title: such as `Practice`.
            text: what comes now.
            may_go_back: there are pages before it.
        """
        super().__init__(look, texts, width=640)
        self.add_text(title, "title")
        self.add_text(text)
        self.body.addWidget(key_caps(look, texts, settings, keys))
        self.add_text(texts("ready_text"))
        self.add_navigation(on="start", hint="hint_ready" if may_go_back else "hint_start")
        self.back.setVisible(may_go_back)
        self.back.setEnabled(may_go_back)


def key_caps(look: Look, texts: Texts, settings: QuizSettings, keys: Mapping[str, str]) -> QWidget:
    """The keys as they lie on the keyboard, each with its answer."""
    return _caps(
        look, texts, [(key, meaning_of(answer, settings, texts), answer) for key, answer in keys_in_order(keys)]
    )


def _caps(look: Look, texts: Texts, keys: Sequence[tuple[str, str, str]]) -> QWidget:
    """Keys, each with what stands next to it and its answer for screen readers, five in a row."""
    caps = QWidget()
    grid = QGridLayout(caps)
    grid.setHorizontalSpacing(look.px(48 if len(keys) == 2 else 12))
    for place, (key, meaning, answer) in enumerate(keys):
        cap = text_label(key, "key", wrap=False)
        cap.setAccessibleName(texts("key_name", key=key, answer=meaning or answer))
        words = QHBoxLayout()
        words.setSpacing(look.px(12))
        words.addWidget(cap)
        if meaning:
            words.addWidget(text_label(meaning, wrap=False))
        grid.addLayout(words, *divmod(place, 5), Qt.AlignmentFlag.AlignHCenter)
    return caps


class ConsentPage(StepPage):
    """The study's text; the way on is open only with the box ticked."""

    refused = Signal()

    def __init__(self, look: Look, texts: Texts, consent: ConsentSettings) -> None:
        super().__init__(look, texts)
        self.add_text(texts("consent_title"), "title")
        for paragraph in consent.text.splitlines():
            if paragraph.strip():
                self.add_text(paragraph)
        self.add_rule()
        self.box = QCheckBox(literal(texts("consent_agree")))
        self.body.addWidget(self.box)
        self.refuse = button(texts("consent_refuse"), self.refused.emit)
        self.on = button(texts("go_on"), self.go_on, main=True)
        self.on.setEnabled(False)
        self.box.toggled.connect(self.on.setEnabled)
        self.add_buttons(self.refuse, self.on, hint=texts("hint_consent"))
        self.on_key("Esc", self.went_back.emit)
        self.first = self.box

    def go_on(self) -> None:
        """Only with the box ticked."""
        if self.box.isChecked():
            self.went_on.emit()
