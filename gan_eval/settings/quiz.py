"""`[quiz]` of a study file: how stimuli are shown and judged."""

import math
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from gan_eval.base.errors import abbreviated
from gan_eval.settings.browser import BrowserSettings
from gan_eval.settings.protocols import (
    ADAPTIVE_PROTOCOLS,
    FITS,
    PROTOCOLS,
    Layout,
    ProtocolFacts,
    ProtocolName,
    default_keys,
)
from gan_eval.settings.sections import SHORT, Name, NotInDesign, OnlyWhen, Option, Section, Words, check, has_effect

MaskKind = Literal["none", "noise", "scramble"]
Giveaway = Literal["format", "size", "mode", "profile", "metadata", "jpeg_tables", "jpeg_subsampling", "identical"]
"""Differences between files of real and generated pictures; with one, no session starts unless the study allows it."""
HOUR_MS = 3_600_000
"""Maximum duration within a trial; a timer's count of milliseconds stays within 32 bits."""
MAX_TRIALS = 10_000
"""Maximum number of trials of one kind in a session."""
Milliseconds = Annotated[float, Field(gt=0, le=HOUR_MS)]
Exposure = Milliseconds | Literal["until-answer"]
MAX_SECONDS = 10
"""Largest time in ms that may be meant in seconds."""
MAX_DEGREES = 30
"""Largest width in pixels that may be meant in degrees."""
MAX_WIDTH_PIXELS = 16_384
"""Maximum width in pixels, more than any screen has."""


def _picture_size(value: Any) -> Any:
    """Return `native`, whole pixels, or degrees in one spelling, so that equal designs have equal hashes."""
    if type(value) is int and 1 <= value <= MAX_WIDTH_PIXELS:
        return value
    degrees = (
        re.fullmatch(r"\s*([0-9]{1,3}(?:\.[0-9]{1,6})?)\s*(?:deg|°)\s*", value) if isinstance(value, str) else None
    )
    if degrees is not None and 0 < float(degrees[1]) < 180:
        return f"{float(degrees[1]):.9g} deg"
    if value == "native":
        return value
    raise ValueError(
        f'found {abbreviated(value)}; expected "native", a width of 1 to {MAX_WIDTH_PIXELS} pixels such as 512, or '
        'degrees of visual angle such as "8 deg"'
    )


PictureSize = Annotated[Annotated[int, Field(ge=1, le=MAX_WIDTH_PIXELS)] | str, BeforeValidator(_picture_size)]


class ConsentSettings(Section):
    """`[quiz.consent]`: the text that a participant agrees to."""

    version: Words = "1"
    """Version of the text, stored with each consent; raise it when the text changes."""
    text: Annotated[Words, SHORT] = (
        "You will judge pictures. Your answers and response times are stored under a pseudonym and used for research. "
        "You may stop at any time."
    )
    """The text as shown."""


class StaircaseSettings(Section):
    """`[quiz.staircase]`: how the exposure follows the answers. Defaults: HYPE_time (Zhou et al. 2019, section 2.1)."""

    start_ms: Milliseconds = 500.0
    """Exposure of the first trial of each block, of practice and of catch trials."""
    shortest_ms: Milliseconds = 100.0
    """Shortest exposure."""
    longest_ms: Milliseconds = 1000.0
    """Longest exposure."""
    down_ms: Milliseconds = 10.0
    """Staircase: decrease after a correct answer."""
    up_ms: Milliseconds = 30.0
    """Staircase: increase after a wrong answer; three times `down_ms` settles at 75% correct."""

    @check
    def _settles(self) -> Iterator[str]:
        if self.up_ms <= self.down_ms:
            yield f"up_ms {self.up_ms:g} must be above down_ms {self.down_ms:g}; otherwise it never settles"
        if not self.shortest_ms <= self.start_ms <= self.longest_ms:
            yield f"start_ms {self.start_ms:g} is not from shortest_ms to longest_ms; change one of them"


class QuestionSettings(Section):
    """`[[quiz.questions]]`: one of the study's own questions, asked before the first trial."""

    id: Name = Field(examples=["expertise"])
    """The question's name in the table `participants`."""
    text: Words = Field(examples=["Do you work with pictures?"])
    """The question as shown."""
    choices: tuple[Words, ...] = Field(default=(), min_length=1, max_length=1000, examples=[("yes", "no")])
    """Answers to choose from; default: a free text."""
    required: bool = True
    """The participant must answer."""

    @check
    def _choices_differ(self) -> Iterator[str]:
        if len(set(self.choices)) < len(self.choices):
            yield "choices: two are the same; change one"


_OF_SINGLE = OnlyWhen(lambda quiz: not quiz.shows_pairs)
_OF_PAIRS = OnlyWhen(lambda quiz: quiz.shows_pairs)
_ONE_EXPOSURE = OnlyWhen(lambda quiz: not quiz.exposures_ms and quiz.protocol not in ADAPTIVE_PROTOCOLS)
_ADAPTIVE = OnlyWhen(lambda quiz: quiz.protocol in ADAPTIVE_PROTOCOLS)
_IN_DEGREES = OnlyWhen(lambda quiz: quiz.picture_degrees is not None)
_WITH_MARKS = OnlyWhen(lambda quiz: quiz.marks > 0)
_AT_THE_END = NotInDesign("comes after the last trial")


class QuizSettings(Section):
    """`[quiz]`: how stimuli are shown and judged."""

    protocol: Annotated[ProtocolName, SHORT, Option("NAME")] = "quick_response"
    """The protocol: what a trial shows and asks."""
    real: Annotated[int, SHORT, Option("N"), _OF_SINGLE] = Field(default=25, ge=1, le=MAX_TRIALS)
    """Number of real pictures from each data set."""
    fake: Annotated[int, SHORT, Option("N"), _OF_SINGLE] = Field(default=25, ge=1, le=MAX_TRIALS)
    """Number of generated pictures from each data set, divided among its models."""
    pairs: Annotated[int, Option("N"), _OF_PAIRS] = Field(default=40, ge=1, le=MAX_TRIALS)
    """For protocols with two pictures: number of pairs from each data set, divided among models."""
    pairs_of: Annotated[Literal["items", "random"], OnlyWhen(lambda quiz: quiz.pairs_of == "random")] = "items"
    """For paired: the real and the generated picture are of one item, or the real one is of a random other item."""
    show_caption: Annotated[bool, OnlyWhen(lambda quiz: quiz.show_caption)] = False
    """Show each picture's caption with it, from the column `caption` of the stimulus set."""
    question: Annotated[Literal["real", "fits"], OnlyWhen(lambda quiz: quiz.question != "real")] = "real"
    """For model_vs_model: which picture looks more real, or which fits the caption better."""
    exposure_ms: Annotated[Exposure, SHORT, Option("MS[,MS...]"), _ONE_EXPOSURE] = "until-answer"
    """Exposure of each picture; until-answer: until the answer or the end of the response window."""
    exposures_ms: tuple[Exposure, ...] = Field(default=(), max_length=100)
    """For yes_no: several exposures, each with an equal share of the real and fake trials."""
    response_ms: Annotated[Milliseconds | Literal["unlimited"], SHORT, Option("MS")] = 4000.0
    """Maximum time from onset to answer; if two pictures follow each other, from the second onset."""
    blank_ms: float = Field(default=500.0, ge=100, le=HOUR_MS)
    """Grey screen between trials."""
    fixation_mark: bool = True
    """Small cross in the middle of the grey screen."""
    response_cue: bool = True
    """Name the keys after the picture has vanished, outside its place."""
    layout: Annotated[Layout, _OF_PAIRS] = "side_by_side"
    """Layout of the two pictures of a pair."""
    gap_ms: Annotated[float, OnlyWhen(lambda quiz: quiz.shows_pairs and quiz.layout == "one_after_other")] = Field(
        default=300.0, ge=50, le=HOUR_MS
    )
    """Grey screen between two pictures shown one after the other."""
    picture_size: Annotated[PictureSize, Option("SIZE")] = "native"
    """Width of every picture: native (no resampling), physical pixels such as 512, or degrees such as "8 deg"."""
    viewing_distance_cm: Annotated[float | None, Option("CM"), _IN_DEGREES] = Field(
        default=None, ge=20, le=500, examples=[60]
    )
    """Distance from the eyes to the screen, needed for degrees."""
    screen_width_cm: Annotated[float | None, _IN_DEGREES] = Field(default=None, ge=5, le=500, examples=[53])
    """Width of the visible screen, needed for degrees."""
    mask: MaskKind = "none"
    """Shown in place of a vanished picture: noise, or the picture's shuffled blocks."""
    mask_ms: Annotated[Milliseconds, OnlyWhen(lambda quiz: quiz.mask != "none")] = 150.0
    """Duration of the mask."""
    staircase: Annotated[StaircaseSettings, _ADAPTIVE] = StaircaseSettings()
    """For staircase and quest_plus: how the exposure depends on answers."""
    confidence: Annotated[int, SHORT] = Field(default=0, ge=0, le=9)
    """Levels of a confidence rating after each answer, on the number keys; 0: none."""
    grades: Annotated[int, OnlyWhen(lambda quiz: quiz.protocol == "rating")] = Field(default=5, ge=2, le=9)
    """For rating: the highest grade, on the number keys; 1 is the lowest."""
    marks: Annotated[int, _WITH_MARKS] = Field(default=0, ge=0, le=5)
    """Maximum number of places that a participant marks in the picture after an answer; 0: not asked."""
    marks_after: Annotated[Literal["fake", "every"], _WITH_MARKS] = "fake"
    """Ask for marks after the answer fake (for pairs: on the picture that was called fake), or after every answer."""
    marks_ms: Annotated[float | None, _WITH_MARKS] = Field(default=None, ge=100, le=HOUR_MS, examples=[20000])
    """Time limit for the marks of one picture; default: none."""
    mark_question: Annotated[str, _WITH_MARKS] = ""
    """Question above the picture to mark; default: "Where did you see it?" in the quiz's language."""
    practice: Annotated[int, SHORT] = Field(default=0, ge=0, le=MAX_TRIALS)
    """Practice trials with feedback before the main trials; excluded from rates."""
    feedback_ms: Annotated[Milliseconds, OnlyWhen(lambda quiz: quiz.practice > 0)] = 2400.0
    """Duration of the feedback."""
    catch: int = Field(default=0, ge=0, le=MAX_TRIALS)
    """Trials with an obvious truth among the main trials, from `stimuli.catch_sets`; excluded from rates."""
    break_every: Annotated[int | None, SHORT] = Field(default=None, ge=1, le=MAX_TRIALS, examples=[50])
    """Trials between two breaks; default: no breaks."""
    keys: Annotated[dict[str, str], SHORT, Option("real=j,...")] = Field(
        default={}, examples=[{"real": "j", "fake": "f"}]
    )
    """Key of each answer (real and fake, left and right, first and second, or the grades); default: f and j."""
    counterbalance_keys: bool = False
    """Swap the two keys on every second list."""
    participants: Annotated[int, SHORT, NotInDesign("more people do not change what each of them sees")] = Field(
        default=20, ge=1, le=100_000
    )
    """Number of planned participants, one session each; simulated sessions do not count."""
    strict_counts: Annotated[bool, NotInDesign("whether a small pool is an error")] = False
    """Stop if a data set has fewer items than real + fake; otherwise fewer are drawn."""
    push_to: Annotated[str | None, NotInDesign("where answers are copied to")] = Field(
        default=None, examples=["postgresql://lab@server/quiz"]
    )
    """Second store, which gets a copy of each ended session: database URL or path."""
    allow_giveaways: Annotated[tuple[Giveaway, ...], Option("NAME,..."), NotInDesign("which sets are refused")] = ()
    """Allowed technical differences (see `gan-eval stimuli audit`), which may reveal fakes; `identical`: generated
    files that equal real ones."""
    corner_patch: bool = False
    """White patch in the lower left corner while a picture is shown, for a photodiode."""
    language: Annotated[str, SHORT, Option("NAME")] = "en"
    """Language of the quiz, such as en or de."""
    show_score: Annotated[bool, _AT_THE_END] = True
    """Show the score on the end page."""
    show_review: Annotated[bool, _AT_THE_END] = True
    """Show every picture again on the end page, with truth and answer."""
    quiz_title: str = ""
    """Headline for participants; default: the protocol's."""
    instructions: str = ""
    """Text of the first page; default: made from the settings."""
    consent: Annotated[ConsentSettings, SHORT] = ConsentSettings()
    """The text that the participant agrees to."""
    questions: tuple[QuestionSettings, ...] = Field(default=(), max_length=1000)
    """The study's own questions, such as age band and expertise."""
    browser: Annotated[
        BrowserSettings,
        NotInDesign("where participants come from and go to, and who is screened out before the first trial"),
    ] = BrowserSettings()
    """For sessions in a browser."""

    @model_validator(mode="before")
    @classmethod
    def _default_keys(cls, values: Any) -> Any:
        if not isinstance(values, dict) or values.get("keys", {}) != {}:
            return values
        grades = values.get("grades", 5)
        keys = default_keys(
            str(values.get("protocol")), str(values.get("layout")), grades if isinstance(grades, int) else 5
        )
        return {**values, "keys": keys}

    @check
    def _keys_fit(self) -> Iterator[str]:
        defaults = default_keys(self.protocol, self.layout, self.grades)
        if set(self.keys) != set(defaults):
            example = ", ".join(f"{answer} = {key!r}" for answer, key in defaults.items())
            yield f"keys: expected a key for {' and one for '.join(defaults)}, such as {{ {example} }}"
        if any(len(key) != 1 or not key.isprintable() or key.isspace() for key in self.keys.values()):
            yield "keys: each key is one character, such as j"
        if len({key.lower() for key in self.keys.values()}) < len(self.keys):
            yield f"keys: {' and '.join(self.keys)} need different keys"

    @check
    def _confidence_fits(self) -> Iterator[str]:
        if self.confidence == 1:
            yield "confidence: one level leaves no choice; give 0 for none, or 2 to 9"
        levels = {str(level) for level in range(1, self.confidence + 1)}
        shared = sorted(levels & set(self.keys.values()))
        if shared and self.protocol != "rating":
            yield f"keys: {shared[0]} is also a level of confidence; choose another key"

    @check
    def _times_fit(self) -> Iterator[str]:
        if self.exposures_ms and self.protocol != "yes_no":
            yield "exposures_ms: only the protocol yes_no has several; give one time as exposure_ms"
        if self.shows_pairs and self.layout == "one_after_other" and self.exposure_ms == "until-answer":
            yield "exposure_ms: two pictures one after the other need a time in ms, such as 1000"

    @check
    def _times_are_in_milliseconds(self) -> Iterator[str]:
        window = self.window_ms
        if window is not None and window <= MAX_SECONDS:
            yield f"response_ms {window:g} is in milliseconds; {window:g} seconds are {1000 * window:g}"
        if (shortest := min((each for each in self.levels_ms if each is not None), default=1.0)) < 1:
            yield f"exposure_ms {shortest:g} is in milliseconds; {shortest:g} seconds are {1000 * shortest:g}"
        exposures = (self.staircase.longest_ms,) if self.protocol in ADAPTIVE_PROTOCOLS else self.levels_ms
        longest = max((exposure for exposure in exposures if exposure is not None), default=0.0)
        if window is not None and longest > window:
            yield f"response_ms {window:g} is shorter than exposure_ms {longest:g}; both start at onset, so raise it"

    @check
    def _pairs_are_shown(self) -> Iterator[str]:
        if self.pairs_of == "random" and self.protocol != "paired":
            yield f"pairs_of: {self.protocol} shows no pair of a real and a generated picture; remove it"

    @check
    def _captions_fit(self) -> Iterator[str]:
        if self.question == "fits" and self.protocol != "model_vs_model":
            yield f"question: {self.protocol} has a question of its own; remove it"
        if self.question == "fits" and not self.show_caption:
            yield 'question: "fits" asks about the caption; add show_caption = true'
        if self.show_caption and self.pairs_of == "random":
            yield "show_caption: the two pictures of a random pair have different captions; remove it"

    @check
    def _marks_fit(self) -> Iterator[str]:
        if self.marks and self.marks_after == "fake" and (self.facts.graded or self.question == "fits"):
            yield 'marks_after: no answer of this quiz is fake; add marks_after = "every", or remove marks'

    @check
    def _questions_differ(self) -> Iterator[str]:
        names = [*(question.id for question in self.questions), *set(self.browser.other_parameters)]
        if len(set(names)) < len(names):
            yield "questions: ids must differ from each other and from browser.other_parameters; rename one"

    @property
    def doubts(self) -> list[str]:
        """Lines on settings that have no effect, or whose values are probably in another unit."""
        return [*self._idle_settings(), *self._other_units()]

    def _idle_settings(self) -> Iterator[str]:
        fields = type(self).model_fields
        idle = [name for name in fields if not has_effect(self, name) and getattr(self, name) != fields[name].default]
        if idle:
            yield f"quiz.{', '.join(idle)}: no effect with the other settings of [quiz]"

    def _other_units(self) -> Iterator[str]:
        if isinstance(self.picture_size, int) and self.picture_size <= MAX_DEGREES:
            size = self.picture_size
            yield f'quiz.picture_size {size} is in pixels; {size} degrees of visual angle are "{size} deg"'
        times = {"exposure_ms": min((each for each in self.levels_ms if each is not None), default=math.inf)}
        if self.protocol in ADAPTIVE_PROTOCOLS:
            times = {"staircase.longest_ms": self.staircase.longest_ms}
        times |= {"feedback_ms": self.feedback_ms} if self.practice else {}
        times |= {"mask_ms": self.mask_ms} if self.mask != "none" else {}
        for name, time in times.items():
            if time <= MAX_SECONDS:
                yield f"quiz.{name} {time:g} is in milliseconds; {time:g} seconds are {1000 * time:g}"

    @property
    def picture_degrees(self) -> float | None:
        """Width of the pictures in degrees of visual angle, if the study gives it in degrees."""
        size = self.picture_size
        return float(size.removesuffix(" deg")) if isinstance(size, str) and size != "native" else None

    @property
    def window_ms(self) -> float | None:
        """The response window in ms, or None if its time is unlimited."""
        return None if self.response_ms == "unlimited" else self.response_ms

    @property
    def levels_ms(self) -> tuple[float | None, ...]:
        """The exposures in ms among which trials are divided; None: until the answer."""
        return tuple(None if each == "until-answer" else each for each in self.exposures_ms or (self.exposure_ms,))

    @property
    def facts(self) -> ProtocolFacts:
        """The facts of the protocol with its question."""
        return FITS if self.question == "fits" else PROTOCOLS[self.protocol]

    @property
    def shows_pairs(self) -> bool:
        """True if a trial shows two pictures."""
        return self.facts.shows_pairs

    def keys_of_list(self, list_number: int) -> dict[str, str]:
        """Return the key of each answer for the participant with this list number."""
        if not self.counterbalance_keys or len(self.keys) != 2 or list_number % 2:
            return dict(self.keys)
        (answer, key), (other_answer, other_key) = self.keys.items()
        return {answer: other_key, other_answer: key}
