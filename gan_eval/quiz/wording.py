"""Every text of the program that a participant sees, by name; the study and a translation may say it otherwise.

What the study file says of its own (quiz_title, instructions, consent, questions) stands as it is and is not in here.
"""

import difflib
import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gan_eval.errors import UserError
from gan_eval.quiz.protocols import PROTOCOLS, protocol_for
from gan_eval.quiz.trial import Feedback
from gan_eval.settings.quiz import QuizSettings
from gan_eval.tables.frames import Row

SOURCE_LANGUAGE = "en"
TRANSLATIONS = Path(__file__).parent / "app" / "translations"
CONTEXT = "quiz"
"""Of every text in the translations' files."""

TEXTS: Mapping[str, str] = {
    "window_title": "Picture quiz",
    # answers
    "answer_real": "real",
    "answer_fake": "fake",
    "answer_left": "left",
    "answer_right": "right",
    "answer_first": "first",
    "answer_second": "second",
    # numbers and durations
    "decimal_point": ".",
    "one_second": "1 second",
    "seconds": "{seconds} seconds",
    # the welcome page
    "welcome_title": "Real or fake?",
    "welcome_title_models": "Which one looks more real?",
    "welcome_title_rating": "How real does it look?",
    "participant": "Participant {participant}",
    "welcome_back": "Welcome back: {done} of {trials} are done, the session continues from there.",
    "task_single": "You will see {trials} pictures, one after the other. Some are real photographs; the others are "
    "fake: a computer generated them. For each one, press a key to say whether it is real or fake.",
    "task_pair_side_by_side": "You will see {trials} pairs of pictures, side by side. One picture of each pair is a "
    "real photograph; the other is fake: a computer generated it. For each pair, press a key to say which one is real.",
    "task_pair_one_after_other": "You will see {trials} pairs of pictures, one picture after the other. One of each "
    "pair is a real photograph; the other is fake: a computer generated it. For each pair, press a key to say which "
    "one is real.",
    "task_models_side_by_side": "You will see {trials} pairs of pictures, side by side. For each pair, press a key "
    "to say which one looks more real.",
    "task_models_one_after_other": "You will see {trials} pairs of pictures, one picture after the other. For each "
    "pair, press a key to say which one looks more real.",
    "task_rating": "You will see {trials} pictures, one after the other. For each one, press a number key "
    "to say how real it looks, from 1 (not at all) to {grades} (entirely).",
    "time_until_answer": "Each picture stays until you answer, at most {window}.",
    "time_until_answer_pair": "Each pair stays until you answer, at most {window}.",
    "time_until_answer_unlimited": "The pictures stay until you answer. Take the time you need.",
    "time_flash": "Each picture is visible for {exposure}. You can answer within {window} of its appearing.",
    "time_flash_pair": "Each pair is visible for {exposure}. You can answer within {window} of its appearing.",
    "time_flash_one_after_other": "Each picture is visible for {exposure}. You can answer within {window} of the "
    "second one's appearing.",
    "time_flash_unlimited": "The pictures are visible for {exposure}. Take the time you need for your answer.",
    "time_varies": "Some pictures are visible for a short time only. You can answer within {window} of their "
    "appearing.",
    "time_varies_unlimited": "Some pictures are visible for a short time only. Take the time you need for your answer.",
    "time_adapts": "Each picture is visible for a short time, which changes from picture to picture. You can answer "
    "within {window} of its appearing.",
    "time_adapts_unlimited": "Each picture is visible for a short time, which changes from picture to picture. "
    "Take the time you need for your answer.",
    "judge_quickly": "Judge as quickly and as well as you can. If you are not sure, guess.",
    "judge_in_peace": "Judge as well as you can. If you are not sure, guess.",
    "confidence_task": "After each answer, say how sure you are: a number key from 1 (a guess) to {levels} (certain).",
    "escape_pauses": "Esc pauses the session.",
    "key_name": "Key {key}: {answer}",
    "grade_lowest": "not at all",
    "grade_highest": "entirely",
    "confidence_lowest": "a guess",
    "confidence_highest": "certain",
    # buttons and hints
    "go_on": "Continue",
    "back": "Back",
    "leave": "Exit",
    "skip": "Skip",
    "start": "Start",
    "hint_welcome": "Enter: continue    Esc: exit",
    "hint_step": "Enter: continue    Esc: back",
    # the page that continues a session
    "resume_title": "Continue the session",
    "resume_question_untimed": "Are you the person who began this session?",
    "resume_question": "Are you the person who began at {time}?",
    "resume_question_day": "Are you the person who began at {time} on {date}?",
    "resume_no": "No, I am someone else",
    # consent
    "consent_title": "Consent",
    "consent_text": "You will judge pictures. Your answers and response times are stored under a pseudonym and used "
    "for research. You may stop at any time.",
    "consent_agree": "I have read this and I agree to take part.",
    "consent_refuse": "I do not agree",
    "hint_consent": "Space: tick the box    Enter: continue    Esc: back",
    # the study's questions
    "question_title": "Question {number} of {count}",
    "question_optional": "You may leave this open.",
    "question_missing": "Please answer this question.",
    "hint_choices": "Number or arrow keys: choose    Enter: continue    Esc: back",
    # the screen's scale
    "card_title": "The size of your screen",
    "card_task": "Hold a bank card against the screen, on the frame below. Make the frame larger or smaller until it "
    "is exactly as wide as the card.",
    "card_name": "Frame of a bank card, {width} pixels wide",
    "card_smaller": "Smaller",
    "card_larger": "Larger",
    "hint_card": "Arrow keys: size    Page Up, Page Down: in large steps    Enter: it fits    Esc: back",
    "distance_title": "Your distance from the screen",
    "distance_task": "Sit as you will sit during the session. How far are your eyes from the screen?",
    "distance_unit": "centimetres",
    "distance_wrong": "Please give a number from {least} to {most}.",
    # the screen's size, once on each computer, for the experimenter
    "size_title": "The size of this screen",
    "size_task": "Pictures are shown at a visual angle. Measure the width of the visible screen with a ruler, and the "
    "distance from the participant's eyes to it. This is asked once on this computer.",
    "size_claimed": "The screen itself states a width of {width} cm. That is often wrong: measure it.",
    "size_width": "Width of the screen",
    "size_distance": "Viewing distance",
    "size_ruler": "Hold a ruler to the bar: it must be {length} cm long. If not, correct the width of the screen.",
    "size_ruler_name": "Bar of {length} cm",
    "size_closes": "This page closes in {time} if no key is pressed.",
    "size_wrong": "Please give a width from {least} to {most} and a distance from {nearest} to {farthest}.",
    "size_stamps": "For the experimenter: the pictures are {width} pixels wide, the screen {screen}. To enlarge them, "
    "exit and set picture_size = {larger} in [quiz], or with --stimuli give --picture-size {larger}.",
    # before the trials
    "keys_title": "Try your keys",
    "keys_text": "Press each of these keys once.",
    "keys_confidence": "These keys say how sure you are:",
    "keys_unknown": "{key} is not one of these keys.",
    "keys_done": "All keys work.",
    "keys_help": "If one of these keys does nothing, call the experimenter: the keyboard needs a layout that has the "
    "key, or the study needs other keys.",
    "ready_title": "Ready?",
    "ready_task": "Put your fingers on the keys.",
    "ready_text": "The first picture comes about a second after the start.",
    "practice_title": "Practice",
    "practice_text": "First comes practice ({practice} in all). After each answer you are told whether it is correct, "
    "and see what was shown once more. Practice does not count.",
    "practice_text_untold": "First comes practice ({practice} in all). It does not count.",
    "counts_title": "Now it counts",
    "counts_text": "The practice is over. From now on your answers count ({trials} in all), and you are not told "
    "whether they are correct.",
    "counts_text_untold": "The practice is over. From now on your answers count ({trials} in all).",
    "hint_ready": "Enter: start    Esc: back",
    "hint_start": "Enter: start",
    # during the trials
    "progress": "{number} of {trials}",
    "practice_progress": "Practice: {number} of {trials}",
    "question_single": "{keys}",
    "question_pair": "Which one is real?    {keys}",
    "question_models": "Which one looks more real?    {keys}",
    "question_rating": "How real does it look?    {keys}",
    "feedback_right": "Correct",
    "feedback_wrong": "Wrong",
    "feedback_none": "No answer in time",
    "confidence_question": "How sure are you?    {keys}",
    # break and pause
    "break_title": "A break",
    "break_text": "{done} of {trials} are done. Rest your eyes for a moment.",
    "break_wait": "You can continue in {seconds} s.",
    "break_over": "Continue whenever you like.",
    "pause_title": "Pause",
    "pause_text": "{done} of {trials} are done. All answers are stored. A picture that was on the screen just now does "
    "not come again.",
    "pause_go_on": "Take your time. After you continue, the next picture comes within a second or two.",
    "pause_screen": "The screen has changed. Please call the experimenter before you continue.",
    "stop": "Withdraw",
    "stop_question": "If you withdraw, your part ends: your answers so far are kept, but you cannot continue later. "
    "Press “{stop}” once more to withdraw.",
    "another_time": "Save and quit",
    "hint_pause": "Esc: continue    Tab: next button    Enter: press the button",
    "hint_buttons": "Tab: next button    Enter: press the button",
    # something is wrong
    "problem_title": "Please call the experimenter",
    "problem_unsaved": "The last answer could not be stored yet. It is kept until this works, and the session waits.",
    "problem_saved": "The session cannot continue just now. All answers are stored.",
    "problem_unended": "All answers are stored, but not yet that the session is over.",
    "problem_slow": "The store has not answered for {seconds} seconds.",
    "try_again": "Try again",
    "leave_without": "Exit without the last answer",
    # the end
    "end_title": "Thank you",
    "end_text": "The session is complete and all answers are stored.",
    "group_real": "Real photographs",
    "group_fake": "Fake pictures",
    "group_pairs": "Pairs",
    "group_catch": "{group}, to check attention",
    "group_dataset": "{group} ({dataset})",
    "group_models": "{model} rather than {against}",
    "score_correct": "{correct} of {shown} correct",
    "score_rating": "mean grade {mean}",
    "score_chosen": "chosen in {chosen} of {shown}",
    "score_unanswered": "{count} without an answer",
    "threshold": "Exposure at which about {percent} % of your answers are right",
    "threshold_value": "{milliseconds} ms",
    "threshold_unknown": "not determined",
    "threshold_limit": "at a limit of what was shown",
    # the review
    "review_title": "Your answers, one by one",
    "review_number": "No. {number}",
    "review_practice": "Practice, no. {number}",
    "review_catch": "No. {number} (to check attention)",
    "review_truth": "truth: {truth}",
    "review_answer": "your answer: {answer}",
    "review_grade": "your grade: {answer}",
    "review_confidence": "how sure: {confidence}",
    "review_right": "✓ correct",
    "review_wrong": "✗ wrong",
    "review_none": "– no answer",
    "review_time": "after {seconds} s",
    "picture_label": "input",
    "picture_real": "real",
    "picture_fake": "fake",
    "picture_shown": "▲ {picture} (shown)",
    "picture_chosen": "▲ {picture} (chosen)",
    "picture_missing": "none",
    "filter_name": "Show only",
    "filter_all": "All ({count})",
    "filter_wrong": "Wrong ({count})",
    "filter_fakes": "Fakes ({count})",
    "filter_reals": "Reals ({count})",
    "filter_unanswered": "Unanswered ({count})",
    "filter_practice": "Practice ({count})",
    "viewer_size": "{percent} % of the pixels' size",
    "hint_end": "Enter: exit",
    "hint_review": "Arrow keys: move    Enter: enlarge    Number keys: show only some    Tab, Enter: exit",
    "hint_viewer": "Left, Right: the one before, the next    Esc: back to the list",
}
"""English, and what a translation is made from. Names in braces are filled in."""

_ALSO_FILLED_IN: Mapping[str, frozenset[str]] = {
    "question_rating": frozenset({"grades"}),
    "confidence_question": frozenset({"levels"}),
    "feedback_right": frozenset({"truth"}),
    "feedback_wrong": frozenset({"truth"}),
    "feedback_none": frozenset({"truth"}),
}
"""What a study's own wording of a text may name besides."""


@dataclass(frozen=True)
class Texts:
    """The words in one language. `texts("pause_text", done=3, trials=50)` gives one of them."""

    language: str = SOURCE_LANGUAGE
    own: Mapping[str, str] = field(default_factory=dict)
    """The study's wording, by name."""
    translate: Callable[[str, str], str] = lambda name, source: source
    """From a name and the English text to the text in `language`."""

    def __call__(self, name: str, **values: object) -> str:
        """The text of this name with its values filled in."""
        text = self.own.get(name) or self.translate(name, TEXTS[name])
        return text.format(**values)

    def duration(self, milliseconds: float) -> str:
        """A duration in words.

        >>> Texts().duration(1000), Texts().duration(250), Texts().duration(4000)
        ('1 second', '0.25 seconds', '4 seconds')
        """
        seconds = milliseconds / 1000
        return self("one_second") if seconds == 1 else self("seconds", seconds=self.number(seconds))

    def number(self, value: float, form: str = "g") -> str:
        """A number with the language's decimal point; `form` is Python's format.

        >>> Texts(own={"decimal_point": ","}).number(0.614, ".2f")
        '0,61'
        """
        return format(value, form).replace(".", self("decimal_point"))


def placeholders(text: str) -> frozenset[str]:
    """The names in braces.

    Raises:
        ValueError: a brace stands alone, or a name carries more than a name.

    >>> sorted(placeholders("{done} of {trials} are done"))
    ['done', 'trials']
    """
    names = set()
    for _, name, form, conversion in string.Formatter().parse(text):
        if name is None:
            continue
        if not name.isidentifier() or form or conversion:
            raise ValueError(f"{{{name}}} is not a plain name in braces")
        names.add(name)
    return frozenset(names)


def require_texts(own: Mapping[str, str]) -> None:
    """Check a study's own wording.

    Raises:
        UserError: there is no text of this name, or it names something in braces that is not filled in.
    """
    for name, text in own.items():
        where = f"quiz.texts.{name}"
        if name not in TEXTS:
            near = difflib.get_close_matches(name, TEXTS, n=3, cutoff=0.4)
            hint = f"did you mean {' or '.join(near)}?" if near else "their names stand in gan_eval/quiz/wording.py"
            raise UserError(f"{where}: no such text; {hint}")
        known = placeholders(TEXTS[name]) | _ALSO_FILLED_IN.get(name, frozenset())
        try:
            unknown = placeholders(text) - known
        except ValueError as error:
            raise UserError(f"{where}: {error}; write a brace that is meant as {{{{ or }}}}") from error
        if unknown:
            filled = ", ".join(f"{{{name}}}" for name in sorted(known)) or "nothing"
            raise UserError(f"{where}: {{{min(unknown)}}} is not filled in here; known: {filled}")


def translations() -> dict[str, Path]:
    """The compiled translations that are there, by language."""
    return {path.stem.removeprefix("quiz_"): path for path in sorted(TRANSLATIONS.glob("quiz_*.qm"))}


def require_language(language: str, *, named: str = "--language") -> None:
    """Check that the program speaks a language, which was `named` by an option or by a study's field.

    Raises:
        UserError: it does not; the message lists those that it speaks.
    """
    known = [SOURCE_LANGUAGE, *translations()]
    if language not in known:
        raise UserError(f"{named} {language}: there is no such translation; known: {', '.join(known)}")


def welcome_title(settings: QuizSettings, texts: Texts) -> str:
    """The headline that participants read: the study's `quiz_title`, else the protocol's."""
    return settings.quiz_title.strip() or texts(PROTOCOLS[settings.protocol].title)


def instructions(settings: QuizSettings, trials: int, texts: Texts) -> list[str]:
    """What a participant must know, one sentence or two a line; the study's own text where it has one.

    Args:
        settings: the quiz.
        trials: how many count.
        texts: in the participant's language.
    """
    if settings.instructions:
        return [line for line in settings.instructions.splitlines() if line.strip()]
    protocol = protocol_for(settings)
    lines = [texts(protocol.task(), trials=trials, grades=settings.grades)]
    # how long pictures are seen and how long an answer is accepted
    window = "" if settings.window_ms is None else texts.duration(settings.window_ms)
    unlimited = "" if window else "_unlimited"
    pair = "_pair" if settings.shows_pairs and window else ""
    flash = settings.levels_ms[0]
    if protocol.adapts_exposure:
        lines.append(texts(f"time_adapts{unlimited}", window=window))
    elif len(set(settings.levels_ms)) > 1:
        lines.append(texts(f"time_varies{unlimited}", window=window))
    elif flash is None:
        lines.append(texts(f"time_until_answer{unlimited}{pair}", window=window))
    else:
        if pair and settings.layout == "one_after_other":
            pair = "_one_after_other"
        lines.append(texts(f"time_flash{unlimited}{pair}", exposure=texts.duration(flash), window=window))
    lines.append(texts("judge_in_peace" if settings.window_ms is None else "judge_quickly"))
    if settings.confidence:
        lines.append(texts("confidence_task", levels=settings.confidence))
    return [*lines, texts("escape_pauses")]


def keys_in_order(keys: Mapping[str, str]) -> list[tuple[str, str]]:
    """(key, answer) from left to right as on the keyboard, from the key of each answer; unknown keys come last."""
    rows = ((0.0, "1234567890"), (0.5, "qwertyuiop"), (0.75, "asdfghjkl"), (1.25, "zxcvbnm"))
    columns = {key: offset + place for offset, row in rows for place, key in enumerate(row)}
    caps = [(key.upper() if key.upper().lower() == key.lower() else key, answer) for answer, key in keys.items()]
    return sorted(caps, key=lambda cap: columns.get(cap[0].lower(), float("inf")))


def meaning_of(answer: str, settings: QuizSettings, texts: Texts) -> str:
    """What stands beside a key: the answer; of grades the ends alone."""
    if PROTOCOLS[settings.protocol].graded:
        return {"1": texts("grade_lowest"), str(settings.grades): texts("grade_highest")}.get(answer, "")
    return texts(f"answer_{answer}")


def confidence_keys(settings: QuizSettings, texts: Texts) -> dict[str, str]:
    """The number keys of the confidence levels, the lowest and the highest with their meaning; empty: not asked."""
    ends = {1: texts("confidence_lowest"), settings.confidence: texts("confidence_highest")}
    return {str(level): ends.get(level, "") for level in range(1, settings.confidence + 1)}


def keys_in_line(meanings: Iterable[tuple[str, str]]) -> str:
    """Keys with what they mean, in one line.

    >>> keys_in_line([("1", "a guess"), ("2", ""), ("3", "certain")])
    '1: a guess    2    3: certain'
    """
    return "    ".join(f"{key}: {meaning}" if meaning else key for key, meaning in meanings)


@dataclass(frozen=True)
class TrialTexts:
    """What the screen says between and after the pictures of one participant; never while a picture is presented."""

    texts: Texts
    settings: QuizSettings
    keys: Mapping[str, str]
    """The key of each answer."""

    def progress(self, plan: Sequence[Row], coming: int) -> str:
        """Which trial of how many comes next, practice apart; nothing after the last.

        Args:
            plan: the session's plan, in its order.
            coming: the place of the trial in it, from 0.
        """
        if coming >= len(plan):
            return ""
        practice = plan[coming]["phase"] == "practice"
        alike = [place for place, row in enumerate(plan) if (row["phase"] == "practice") == practice]
        name = "practice_progress" if practice else "progress"
        return self.texts(name, number=alike.index(coming) + 1, trials=len(alike))

    @property
    def response_cue(self) -> str:
        """What is asked once everything has vanished and no answer has come, with its keys; empty: nothing is."""
        if not self.settings.response_cue:
            return ""
        keys = [(key, meaning_of(answer, self.settings, self.texts)) for key, answer in keys_in_order(self.keys)]
        name = PROTOCOLS[self.settings.protocol].question
        return self.texts(name, grades=self.settings.grades, keys=keys_in_line(keys))

    @property
    def confidence(self) -> str:
        """Asked after each answer where the study wants it."""
        keys = keys_in_line(confidence_keys(self.settings, self.texts).items())
        return self.texts("confidence_question", levels=self.settings.confidence, keys=keys)

    def truth_of(self, planned: Row, stimulus: str) -> str:
        """What one picture of a trial is, for a protocol in which there is a truth."""
        fake = planned["kind"] == "fake" or stimulus == planned["stimulus_b"]
        return self.texts("picture_fake" if fake else "picture_real")

    def feedback(self, feedback: Feedback) -> str:
        """What a practice trial says above the captions, which name the truth."""
        name = {True: "feedback_right", False: "feedback_wrong", None: "feedback_none"}[feedback.correct]
        return self.texts(name, truth=self.texts(f"answer_{feedback.truth}") if feedback.truth else "")
