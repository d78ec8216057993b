"""Possible mistakes in a trials table, of which the user is warned."""

import re
import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd

from gan_eval.errors import abbreviated
from gan_eval.stats.contradictions import agreement, are_single, possible_times
from gan_eval.stats.estimate.persons import of_scores
from gan_eval.stats.trials import items_of
from gan_eval.tables import TRIALS
from gan_eval.tables.cells import person_of

MAX_NAMED = 3
"""Number of persons or sessions that a warning names."""
MIN_EQUAL_TIMES = 3
"""Minimum number of equal reaction times for the warning that two sessions may be one."""
MIN_ANSWERS = 10
"""Minimum number of answers of a person whose keys may have been exchanged."""
FAR_BELOW, FAR_ABOVE = 0.35, 0.65
"""Shares of correct answers of a person whose keys may have been exchanged, and of the others."""
MAX_GUESSING = 0.025
"""Largest chance of so few correct answers by guessing; among many people, the chance that half a person has so few."""
MAX_QUESTIONS, ALIKE = 9, 0.8
"""Maximum number of trials of a picture that may be questions; minimum share of pictures with one number of trials."""
NEARLY_ALL = 0.9
"""Minimum share of the trials with an answer that a further question follows; the rest is the maximum after others."""
_OF_PICTURE = ("session", "block", "phase", "stimulus_b", "kind", "model", "dataset", "requested_exposure_ms")
"""Columns, next to `stimulus`, that are equal in all questions about a picture."""
MIN_CODES, MIN_CODE_SHARE = 3, 0.01
"""Minimum number and share of answers whose time may be a code, or the time limit."""
MIN_EXPOSURE_MS = 4.0
"""Duration of a frame at 240 Hz is 4.2 ms; shorter exposures are frames, or seconds."""
MAX_SCALE = 3
"""Largest ratio of a person's highest grade to that of the others."""
MIN_GRADES, MIN_JUDGES, REVERSED_LEVEL = 5, 4, 0.05
"""Minimum number of a person's grades of each kind, and of such people, to ask whether a scale was reversed; the level
of that question over all people together."""
MIN_STEPS, MAX_LONGER, MAX_RANGE_MS = 20, 0.9, 10_000
"""Minimum number of reaction times with one before, largest share that may be longer than it, and the difference of the
longest and the shortest time of a session up to which all may be."""
MAX_WORDS = 50
"""Maximum number of different words of a further column that is looked at."""
_CODES = (9, 77, 88, 98, 99, 777, 888, 998, 999, 9999)
"""Numbers, also below 0, that surveys write for a missing answer."""
_PRACTICE = re.compile(
    r"(?i)(is|in)?[ _-]?(prac\w*|training|trainings?\w*phase|warm[ _-]?up|tutorial|familiari[sz]ation|[üu]e?bung\w*"
    r"|entra[iî]nement)([ _-]*(trial|block|phase|part|task|session|loop|round|run)s?)?[ _-]?\d*"
)
"""A word for trials before the study."""
_QUESTION = re.compile(r"(?i)question|prompt|measure|scale|item_?type|judge?ments?_?type|^task|quest_")
SYNONYMS = {
    "reaction_time_ms": ("rt", "rtms", "reactiontime", "responsetime", "latency"),
    "model": ("generator", "gan", "method", "network", "modelname", "generatorname"),
    "phase": (),
    "correct": (),
    "confidence": (),
    "dataset": (),
    "requested_exposure_ms": ("exposurems", "exposure", "exposuretime", "presentationtime"),
}
"""Usual further names, in lower case without marks, of columns whose absence changes what is reported."""
_OF_ANSWER = ["session", "stimulus", "stimulus_b", "response", "choice", "rating", "reaction_time_ms"]
_YES = ("true", "yes", "y", "1", "1.0", "t")


def doubts(trials: pd.DataFrame, *, are_rows_checked: bool = False) -> list[str]:
    """Return warnings: alike codes, impossible times, equal sessions, rows that may be questions, below chance.

    Args:
        are_rows_checked: repeated rows have been named.
    """
    is_timed = trials[["reaction_time_ms", "requested_exposure_ms"]].notna().any(axis=None)
    of_times = (_doubtful_times, _equal_sessions) if is_timed else ()
    in_succession = _rows_in_succession(trials)
    lines = [line for check in (_alike_codes, *of_times) for line in check(trials)]
    lines += in_succession + _below_chance(trials) + _with_more_answers(trials)
    is_copy = trials.duplicated(_OF_ANSWER) & trials["reaction_time_ms"].notna() & trials["onset_ms"].isna()
    if is_timed and not are_rows_checked and is_copy.sum() >= MIN_CODES:
        rows = [str(row + 1) for row in trials.index[is_copy.to_numpy(bool)]]
        named = ", ".join(rows[:MAX_NAMED]) + ", ..." * (len(rows) > MAX_NAMED)
        lines.append(
            f"{len(rows)} rows equal an earlier one of their session in picture, answer and reaction time; remove "
            f"them: {named}"
        )
    further = {str(name): trials[name] for name in trials if name not in TRIALS.by_name}
    if further:
        lines += _other_names(trials, further)
    words = {name: cells.dropna().astype(str).unique() for name, cells in further.items()}
    words = {name: found for name, found in words.items() if 0 < len(found) <= MAX_WORDS}
    if tried := [name for name, found in words.items() if any(map(_PRACTICE.fullmatch, [name, *found]))]:
        lines += _practice(trials, tried)
    asked = [
        name
        for name, found in words.items()
        if 1 < len(found) <= MAX_QUESTIONS and (_QUESTION.search(name) or all(word.endswith("?") for word in found))
    ]
    if asked and not in_succession:
        lines += _questions_apart(trials, asked)
    if graded := [name for name in ("rating", "confidence") if trials[name].notna().any()]:
        lines += _codes_among_grades(trials, graded)
    return lines


def _other_names(trials: pd.DataFrame, names: Iterable[str]) -> Iterator[str]:
    """Yield a question for each usual name of an empty column of `trials` among further columns."""
    bare = {re.sub(r"[\W_]", "", name.lower()): name for name in names}
    for target, synonyms in SYNONYMS.items():
        found = next((bare[each] for each in (target.replace("_", ""), *synonyms) if each in bare), None)
        if found is not None and trials[target].isna().all() and trials[found].notna().any():
            option = f"--map {shlex.quote(f'{target}={found}')}"
            unit = f", in seconds {target}={found}*1000" if target.endswith("_ms") else ""
            yield f"column {found} is kept, not read as {target}; if it is that: trials import {option}{unit}"


def _alike_codes(trials: pd.DataFrame) -> list[str]:
    """Return warnings of people and models whose names differ only in case, spaces or zeros, and of unnamed models."""
    lines = []
    for column, what in (("participant", "people"), ("model", "models")):
        spellings: dict[str, list[str]] = defaultdict(list)
        for name in map(str, trials[column].dropna().unique()):
            spellings[re.sub(r"(?<!\d)0+(?=\d)", "", person_of(name))].append(name)
        alike = [f"{' and '.join(map(repr, names))}" for names in spellings.values() if len(names) > 1]
        if alike:
            lines.append(
                f"{column}s {_some(alike)} differ only in case, spaces or zeros in front and are counted as different "
                f"{what}; if they are one, write one name"
            )
    is_fake = (trials["kind"] == "fake").to_numpy(bool, na_value=False)
    unnamed = int(trials["model"][is_fake].isna().sum())
    if 0 < unnamed < is_fake.sum():
        lines.append(
            f"column model is empty in {unnamed} of {is_fake.sum()} trials of generated pictures, which count as a "
            "model of their own; fill it in"
        )
    return lines


def _doubtful_times(trials: pd.DataFrame) -> list[str]:
    """Return warnings of impossible reaction times, and of columns in which some rows seem to be seconds."""
    lines = []
    impossible = trials["reaction_time_ms"][~possible_times(trials)].dropna()
    if len(impossible):
        lines.append(
            f"column reaction_time_ms: {len(impossible)} not above 0, or infinite; the first is "
            f"{impossible.iloc[0]:g} ms in row {impossible.index[0] + 1}. They count as missing, the answers count; "
            "correct the times, or remove the rows"
        )
    for name, least in (("reaction_time_ms", 10.0), ("requested_exposure_ms", MIN_EXPOSURE_MS)):
        times = trials[name][trials[name] > 0]
        low = times[times < least]
        if len(low) > max(2, len(times) / 100):
            lines.append(
                f"column {name}: {len(low)} of {len(times)} are below {least:g} ms, the first is {low.iloc[0]:g} in "
                f"row {low.index[0] + 1}: are these seconds{' or frames' * (least == MIN_EXPOSURE_MS)}? Bring all rows "
                "to milliseconds"
            )
    of_sessions = trials["reaction_time_ms"].groupby(trials["session"], observed=True)
    longer, range_ms = of_sessions.diff().dropna() > 0, (of_sessions.max() - of_sessions.min()).median()
    if len(longer) >= MIN_STEPS and longer.mean() > MAX_LONGER and range_ms > MAX_RANGE_MS:
        lines.append(
            f"column reaction_time_ms: {longer.mean():.0%} of the times are longer than the one before: times since "
            "the start of the session? Give the time from onset to answer"
        )
    answered = trials["response"].isin(["real", "fake"]) | trials["choice"].isin(["a", "b"]) | trials["rating"].notna()
    times = trials["reaction_time_ms"][(answered & trials["onset_ms"].isna()).to_numpy(bool) & possible_times(trials)]
    counts = times.value_counts()
    longest = times.max()
    number = int(counts.get(longest, 0))
    others = counts.drop(longest, errors="ignore")
    if len(others) >= MIN_EQUAL_TIMES and number >= max(MIN_CODES, MIN_CODE_SHARE * len(times), 3 * others.max()):
        lines.append(
            f"column reaction_time_ms: {number} of {len(times)} answers have the longest time, {longest:g} ms: a time "
            "limit, or a code for no answer? They count; if nobody answered there, leave these rows out (trials import "
            "--where)"
        )
    return lines


def _equal_sessions(trials: pd.DataFrame) -> list[str]:
    timed = trials[["session", "stimulus", "reaction_time_ms"]].dropna()
    session, names = pd.factorize(timed["session"].array)
    stimulus, time = pd.factorize(timed["stimulus"].array)[0], timed["reaction_time_ms"].to_numpy("float64")
    order = np.lexsort((time, stimulus, session))
    of_sessions = np.split(np.column_stack([stimulus, time])[order], np.flatnonzero(np.diff(session[order])) + 1)
    same: dict[bytes, list[str]] = defaultdict(list)
    for name, times in zip(names, of_sessions, strict=False):  # no name where nothing is timed
        if len(np.unique(times[:, 1])) >= MIN_EQUAL_TIMES:
            same[times.tobytes()].append(str(name))
    repeated = [" and ".join(map(abbreviated, sessions)) for sessions in same.values() if len(sessions) > 1]
    if not repeated:
        return []
    return [
        f"sessions {_some(repeated)} have the same pictures with equal reaction times: one session under two names? "
        "remove one of them"
    ]


def _rows_in_succession(trials: pd.DataFrame) -> list[str]:
    """Return a question if nearly all pictures have the same number of trials in succession, as of several questions.

    Pictures shown again in random order, or at several exposures, have not. Trials with an onset are this program's.
    """
    session, stimulus = (pd.factorize(trials[name].array)[0] for name in ("session", "stimulus"))
    order = np.lexsort((trials["trial"].to_numpy("int64"), session))
    is_same = np.diff(stimulus[order]) == 0
    if not is_same.any() or trials["onset_ms"].notna().any():
        return []
    for name in _OF_PICTURE:
        is_same &= np.diff(pd.factorize(trials[name].array)[0][order]) == 0
    starts = np.flatnonzero(np.r_[True, ~is_same])
    sizes = np.diff(np.r_[starts, len(trials)])
    size = int(np.bincount(sizes).argmax())
    is_usual = sizes == size
    of_people = pd.Series(is_usual).groupby(session[order[starts]]).mean()
    if is_usual.mean() < ALIKE or of_people.min() < 0.5 or not 1 < size <= MAX_QUESTIONS or stimulus.max() < 3:
        return _partly_repeated(trials, order[1:][is_same], order[:-1][is_same])
    of_trials = order[starts[is_usual, None] + np.arange(size)]
    fix = _first_question(trials, of_trials)
    return [f"each picture has {size} trials in succession: if these are questions about it, {fix}"]


def _first_question(trials: pd.DataFrame, of_trials: np.ndarray) -> str:
    """Return how to take the first question alone, from the rows of each trial: the first of a row is its."""
    fix = "name the question in a new column, and take one with trials import --where COLUMN=QUESTION"
    for name in trials.columns.difference([*TRIALS.names], sort=False)[::-1].map(str):
        words = trials[name].astype(str).to_numpy(str)[of_trials]
        if len({*words[0]}) == len(words[0]) and (np.sort(words) == np.sort(words[0])).all():
            fix = f"take one with trials import --where {shlex.quote(f'{name}={words[0, 0]}')}"
    return fix


def _practice(trials: pd.DataFrame, names: list[str]) -> list[str]:
    """Return a question on main trials that a further column calls practice, by its name or its words.

    It has other words in other trials of most of the same sessions: a person's training is no practice.
    """
    is_main = (trials["phase"] == "main").to_numpy(bool)
    sessions = trials["session"].astype(str).to_numpy(str)
    for name in names:
        cells = trials[name].astype("object").map(str, na_action="ignore")
        is_named = _PRACTICE.fullmatch(str(name)) is not None
        words = [
            word
            for word in cells.dropna().unique()
            if (is_named and word.strip().lower() in _YES) or _PRACTICE.fullmatch(word.strip())
        ]
        found = cells.isin(words).to_numpy(bool) & is_main
        having = np.unique(sessions[found])
        mixed = np.isin(having, sessions[is_main & ~found]).sum()
        if len(having) and 2 * mixed > len(having):
            others = cells[is_main & ~found]
            rules = [f"{name}="] if others.isna().all() else [f"{name}!={word}" for word in words]
            rule = " ".join(f"--where {shlex.quote(rule)}" for rule in rules)
            if 0 < others.isna().sum() < len(others):  # which no rule keeps together with the other words
                rule = "--where"
            named = ", ".join(words[:MAX_NAMED])
            return [
                f"column {name} has {named} in {int(found.sum())} of {int(is_main.sum())} main trials: practice? They "
                f"count; trials import {rule} leaves them out"
            ]
    return []


def _questions_apart(trials: pd.DataFrame, names: list[str]) -> list[str]:
    """Return a question if people judged nearly all pictures once under each word of a column of questions."""
    by_picture = trials.groupby(["session", "stimulus", trials["stimulus_b"].fillna("")], observed=True).ngroup()
    sizes = by_picture.value_counts()
    for name in names if len(sizes) < len(trials) else ():
        words = trials[name].dropna().astype(str).unique()
        if ((trials[name].groupby(by_picture).nunique() == len(words)) & (sizes == len(words))).mean() >= ALIKE:
            rule = shlex.quote(f"{name}={words[0]}")
            return [
                f"each picture was judged once under each word of column {name} ({', '.join(words[:MAX_NAMED])}): if "
                f"these are questions about it, take one with trials import --where {rule}"
            ]
    return []


def _codes_among_grades(trials: pd.DataFrame, names: list[str]) -> list[str]:
    """Return a question on grades such as -99 or 999 among grades of another size."""
    lines = []
    for name in names:
        counts = trials[name].astype("float64").dropna().value_counts().sort_index()
        for at, rest in ((0, counts.iloc[1:]), (-1, counts.iloc[:-1])):
            code = float(counts.index[at])
            if len(rest) < 3 or abs(code) not in (*_CODES, *((1,) if code < 0 else ())):
                continue
            is_far = (rest.index[0] - code if at == 0 else code - rest.index[-1]) > rest.index[-1] - rest.index[0]
            if is_far or (code < 0 and rest.index[0] >= 0):
                lines.append(
                    f"column {name}: {int(counts.iloc[at])} are {code:g}, the others {rest.index[0]:g} to "
                    f"{rest.index[-1]:g}: a code for no answer? It counts as a number; trials import --word "
                    f"{name}:{code:g}= leaves it out"
                )
    if "rating" not in names:
        return lines
    by_person = trials["rating"].astype("float64").groupby(trials["participant"], observed=True)
    highest = by_person.max().dropna()
    other = highest[highest > MAX_SCALE * highest.median()]
    if len(other) and highest.median() > 0 and not lines:
        lines.append(
            f"column rating: participants {_some(list(map(abbreviated, other.index)))} have grades up to "
            f"{other.max():g}, the others up to {highest.median():g}: another scale? Bring all to one"
        )
    if turned := _other_way_round(trials):
        lines.append(
            f"column rating: participants {_some(list(map(abbreviated, turned)))} graded real and generated pictures "
            "the other way round than most: was their scale reversed?"
        )
    return lines


def _other_way_round(trials: pd.DataFrame) -> list[str]:
    """Return the people whose grades of real pictures and of each model fall where those of the others rise.

    A person's grades are regressed on the others' mean grades of the same groups (Student's t, one-sided), so that a
    person whom one model fools, but who grades the other models as everyone does, is not among them. The level of 5%
    is divided by the number of people (Bonferroni).
    """
    graded = trials[(trials["rating"].notna() & trials["kind"].notna()).to_numpy(bool)]
    kinds = graded.groupby(["participant", "kind"], observed=True).size().unstack(fill_value=0)
    if set(kinds.columns) != {"real", "fake"}:
        return []
    kinds = kinds[kinds.min(axis=1) >= MIN_GRADES]
    graded = graded[graded["participant"].isin(kinds.index)]
    if len(kinds) < MIN_JUDGES:
        return []
    from scipy.special import stdtr

    person, names = pd.factorize(graded["participant"].array)
    group, groups = pd.factorize(
        graded["kind"].astype(str) + " " + graded["model"].astype("object").fillna("").astype(str)
    )
    shape, place = (len(names), len(groups)), person * len(groups) + group
    grade = graded["rating"].to_numpy("float64")
    n, total, squares = (
        np.bincount(place, weights, shape[0] * shape[1]).reshape(shape) for weights in (None, grade, grade**2)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        means = np.where(n > 0, total / n, 0.0)
        others = (means.sum(axis=0) - means) / ((n > 0).sum(axis=0) - (n > 0))  # mean of the other people's means
        n = np.where(np.isfinite(others), n, 0)
        total, squares, others = (np.where(n > 0, cells, 0.0) for cells in (total, squares, others))
        count = n.sum(axis=1)
        x = np.where(n > 0, others - ((n * others).sum(axis=1) / count)[:, None], 0.0)
        spread, shared = (n * x**2).sum(axis=1), (total * x).sum(axis=1)
        rest = squares.sum(axis=1) - total.sum(axis=1) ** 2 / count - shared**2 / spread
        t = shared / np.sqrt(spread * np.maximum(rest, 1e-12 * squares.sum(axis=1)) / (count - 2))
    t = np.where(spread > 0, t, np.nan)
    if not np.nanmedian(t) > 1:  # most people do not tell them apart either
        return []
    return [str(name) for name in names[stdtr(count - 2, t) < REVERSED_LEVEL / len(names)]]


def _partly_repeated(trials: pd.DataFrame, later: np.ndarray, earlier: np.ndarray) -> list[str]:
    """Return a question if pictures are repeated in succession with another answer, or only after some answers.

    The first is a log of each click, the second a further question. A picture shown again after a miss is neither.
    """
    if not len(later):
        return []
    columns = [name for name in ("response", "choice", "rating") if trials[name].notna().any()]
    answers = np.column_stack([np.zeros(len(trials), int), *(pd.factorize(trials[name])[0] for name in columns)])
    repeated = int(trials.duplicated(["stimulus", *_OF_PICTURE]).sum())
    is_missed = trials[["response", "choice"]].isin(["none"]).any(axis=1).to_numpy(bool)
    is_changed = (answers[later] != answers[earlier]).any(axis=1) & ~is_missed[earlier]
    if len(later) >= max(MIN_CODES, ALIKE * repeated) and is_changed.mean() >= ALIKE:
        return [
            f"{len(later)} trials follow one of the same picture with another answer: were answers changed? Each "
            "counts as a judgement; keep one row of each picture"
        ]
    first = np.setdiff1d(np.arange(len(trials)), later)
    is_followed = pd.Series(np.isin(first, earlier))
    for name in columns:
        answer = trials[name].mask(is_missed).iloc[first].reset_index(drop=True)
        followed = is_followed.groupby(answer, observed=True).agg(["mean", "size"])
        is_asked, is_not = followed["mean"] >= NEARLY_ALL, followed["mean"] <= 1 - NEARLY_ALL
        enough = min(followed["size"][is_asked].sum(), followed["size"][is_not].sum()) >= MIN_ANSWERS
        if (is_asked | is_not).all() and enough:
            after = f"{name} {' or '.join(map(str, followed.index[is_asked][:MAX_NAMED]))}"
            return [
                f"{len(later)} trials follow one of the same picture, only after {after}: if these are answers to a "
                f"further question, {_first_question(trials, np.column_stack([earlier, later]))}"
            ]
    return []


def _below_chance(trials: pd.DataFrame) -> list[str]:
    """Return warnings: people far below chance among others far above it; a question that may be the opposite one."""
    main = trials[(trials["phase"] == "main").to_numpy(bool)]
    main = main.assign(agrees=agreement(main), single=are_single(main))
    main = main[main["agrees"].notna()].astype({"agrees": bool})
    if main.empty:
        return []
    lines = []
    if people := _far_below_others(main):
        below = main["participant"].isin(people)
        lines.append(
            f"participants {_some([abbreviated(name) for name in people])} answered {main['agrees'][below].mean():.0%} "
            f"correctly, the others {main['agrees'][~below].mean():.0%}: were their keys exchanged?"
        )
    imported = main[main["onset_ms"].isna()]  # this program knows its question
    for part, level, question in (
        (imported[~imported["single"]], 0.05, "if they were to choose the fake one, import with --asked fake"),
        (imported[imported["single"]], 0.001, "are the meanings of real and fake exchanged?"),
    ):
        share = part["agrees"].mean()
        if share < 0.5 and _is_below_half(part, level):
            lines.append(f"{share:.0%} of {len(part)} answers are correct, below chance: {question}")
    return lines


def _far_below_others(main: pd.DataFrame) -> list[str]:
    """Return the people with far fewer correct answers than chance, to both kinds, among others far above it."""
    by_person = main.groupby("participant", observed=True)["agrees"].agg(["sum", "size"])
    share, n = by_person["sum"] / by_person["size"], by_person["size"]
    worst = main.groupby(["participant", main["kind"].fillna("")], observed=True)["agrees"].mean()
    is_low = (share < FAR_BELOW) & (n >= MIN_ANSWERS) & (worst.groupby(level=0).max().reindex(share.index) <= 0.5)
    if not is_low.any():
        return []
    from scipy.special import bdtr, bdtrc

    level = min(MAX_GUESSING, 0.5 / len(by_person))
    is_low &= bdtr(by_person["sum"], n.to_numpy(), 0.5) < level
    others, low = by_person[~is_low], int(is_low.sum())
    is_many = low >= MIN_CODES and bdtrc(low - 1, len(by_person), level) < 0.001  # by chance, if all guessed
    is_good = others["sum"].sum() >= FAR_ABOVE * others["size"].sum()
    if not low or low > len(others) or not (is_good or is_many):
        return []
    return [str(name) for name in is_low.index[is_low]]


def _with_more_answers(trials: pd.DataFrame) -> list[str]:
    """Return a warning if people's numbers of answers go together with their answers, as if some stopped early."""
    main = trials[(trials["phase"] == "main").to_numpy(bool)]
    lines = []
    for score, more, less in (
        (agreement(main).astype("float64"), "were more often correct", "were less often correct"),
        (_grade_of_kind(main), "graded real pictures higher", "graded real pictures lower"),
    ):
        part = main[score.notna().to_numpy(bool)]
        if part.empty:
            continue
        participant, kind = (pd.factorize(part[name], use_na_sentinel=False)[0] for name in ("participant", "kind"))
        if found := of_scores(score.dropna().to_numpy(), participant, kind):
            lines.append(
                f"participants with more answers {more if found.r > 0 else less} (r = {found.r:.2f}, {found.people} "
                "people): did some stop early because of this? Where it matters, paper and comparisons count each "
                "participant once; report who stopped, and why"
            )
    return lines


def _grade_of_kind(main: pd.DataFrame) -> pd.Series:
    """Return the grades of real pictures, and those of generated ones times -1, of people who graded both."""
    sign = main["kind"].map({"real": 1.0, "fake": -1.0}).astype("float64")
    grade = main["rating"].astype("float64") * sign
    kinds = main["kind"].where(grade.notna()).groupby(main["participant"], observed=True).transform("nunique")
    return grade.where(kinds == 2)


def _is_below_half(main: pd.DataFrame, level: float) -> bool:
    """Return True if fewer than half of the answers are correct, to both kinds, at this two-sided level.

    The error is clustered by participant and by picture, and by item where pictures share some.
    """
    right, n = main["agrees"].to_numpy(bool), len(main)
    if main.groupby(main["kind"].fillna(""), observed=True)["agrees"].mean().max() >= 0.5:
        return False
    from gan_eval.science.inference import binomial_p, degrees_of_freedom, two_sided_p, two_way

    factors, item = [pd.factorize(main[name])[0] for name in ("participant", "stimulus")], items_of(main)
    variance = two_way(((right - right.mean()) / n)[:, None], *factors, item=item)
    factors += [] if item is None else [item]
    several = [factor for factor in factors if factor.max() > 0]
    p = two_sided_p(right.mean() - 0.5, np.sqrt(variance[0]), max(1, degrees_of_freedom(*several))) if several else 0.0
    return bool(np.nanmax([float(p), float(binomial_p(right.sum(), n))]) < level)


def doubts_of_covariates(names: Sequence[str], trials: pd.DataFrame, participants: pd.DataFrame | None) -> list[str]:
    """Return warnings on answers to covariates: of other sessions, words among numbers, codes, and spellings.

    Args:
        participants: the table, with the answers to questions; other covariates are columns of the trials.
    """
    lines = []
    for name in names:
        rows = trials[["participant", name]].set_axis(["participant", "answer"], axis=1) if name in trials else None
        if participants is not None and (participants["question"] == name).any():
            rows = participants[participants["question"] == name]
            given, judged = {*rows["session"].astype("str")}, {*trials["session"].dropna().astype("str")}
            if judged and (missing := judged - given) and given - judged:
                lines.append(
                    f"covariate {name}: {len(missing)} of {len(judged)} sessions have no answer, the first is "
                    f"{abbreviated(min(missing))}, and {len(given - judged)} answers are of other sessions, such as "
                    f"{abbreviated(min(given - judged))}; write the sessions as in the trials"
                )
        if rows is not None:
            lines += _doubtful_answers(name, rows.dropna(subset="answer").drop_duplicates(["participant", "answer"]))
    return lines


def _doubtful_answers(name: str, rows: pd.DataFrame) -> Iterator[str]:
    answers = rows["answer"].astype("str").str.strip()
    numbers = pd.to_numeric(answers.str.replace(",", ".", regex=False), errors="coerce").astype("float64")
    is_text = pd.to_numeric(answers, errors="coerce").isna()
    if is_text.any() and numbers.notna().mean() >= ALIKE:
        first = rows.index[is_text][0]
        yield (
            f"covariate {name}: {int((~is_text).sum())} of {len(answers)} answers are numbers, that of "
            f"{abbreviated(rows['participant'][first])} is {abbreviated(answers[first])}: all count as words; write "
            "numbers with a decimal point, and leave other cells empty"
        )
    counts = numbers.value_counts().sort_index() if numbers.notna().all() else pd.Series(dtype="int64")
    for at, rest in ((0, counts.index[1:]), (-1, counts.index[:-1])):
        if len(rest) < MIN_EQUAL_TIMES:
            continue
        code = float(counts.index[at])
        is_far = code > 2 * max(rest[-1], -rest[0], 0) and (counts.iloc[at] > 1 or code >= 98)
        if abs(code) in (*_CODES, 1) and (code < 0 <= rest[0] or is_far):
            yield (
                f"covariate {name}: {int(counts.iloc[at])} answers are {code:g}, the others {rest[0]:g} to {rest[-1]:g}"
                ": a code for no answer? It counts as a number; leave these cells empty"
            )
    spellings: dict[str, set[str]] = defaultdict(set)
    for answer in answers[is_text]:
        spellings[answer.casefold()].add(answer)
    if alike := [f"{' and '.join(map(repr, sorted(words)))}" for words in spellings.values() if len(words) > 1]:
        yield f"covariate {name}: {_some(alike)} differ only in case and count as different answers; write one of them"


def _some(names: list[str]) -> str:
    more = f", and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return ", ".join(names[:MAX_NAMED]) + more
