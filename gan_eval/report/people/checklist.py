"""What journals ask of a study with people, filled from the study file and the tables; what is missing is named."""

from gan_eval.report.parts.blocks import Facts, Paragraph, Section
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import listed, milliseconds, plural
from gan_eval.report.people.design import is_excluded
from gan_eval.report.people.participants import analysed_text
from gan_eval.settings.protocols import ADAPTIVE_PROTOCOLS, PAIR_PROTOCOLS, PROTOCOLS, QUEST_PLUS
from gan_eval.settings.quiz import QuizSettings
from gan_eval.stats.compare.outcomes import is_on_outcome
from gan_eval.tables import PARTICIPATION, SESSIONS

_GAP = "Not given"
_POINTS = (
    "Question", "Design", "Sample", "Instructions", "Consent", "Ethics", "Recruitment", "Exclusions", "Plan",
    "Data availability", "Code availability",
)  # fmt: skip


def checklist_section(folder: StudyFolder) -> Section:
    """Question, design, sample, instructions, consent, ethics, recruitment, exclusions, plan, data and code; nothing
    where nobody answered anything."""
    if folder.scope("all").empty and folder.answers().empty:
        return Section("checklist", "Reporting checklist", [])
    study = folder.study
    was_ours = len(folder.table(SESSIONS)) > 0  # else defaults of the quiz are not what people saw
    missing_file = "" if study is not None else f"{_GAP}: no study file lies beside the tables."
    items = dict.fromkeys(_POINTS, missing_file)
    if study is not None:
        quiz, told, plan = study.quiz, study.reporting, study.analysis
        foreign = f"{_GAP}: the answers are of another program, and the study file does not tell."
        consent = "" if quiz.consent.model_fields_set or was_ours else foreign
        items |= {
            "Question": study.study.question or _missing("question", "study"),
            "Design": _design(quiz) if was_ours or quiz.model_fields_set - {"keys"} else foreign,
            "Sample": f"{plural(quiz.participants, 'person', 'people')} wanted; {analysed_text(folder)} analysed.",
            "Instructions": quiz.instructions or (_made_instructions(quiz) if was_ours else foreign),
            "Consent": consent or f"Version {quiz.consent.version}: {quiz.consent.text}",
            "Ethics": told.ethics or _missing("ethics"),
            "Recruitment": told.recruitment or _missing("recruitment"),
            "Plan": f"Margin: {'none' if plan.margin is None else f'{100 * plan.margin:g} points'}; "
            f"{f'{plan.looks} looks; ' if plan.looks > 1 else ''}analysis plan "
            f"{study.analysis_hash[:12]}, design {study.design_hash[:12]} (SHA-256 of the study file's sections).",
            "Data availability": told.data_availability or _missing("data_availability"),
            "Code availability": told.code_availability or _missing("code_availability"),
        }
    items["Exclusions"] = _exclusions(folder)
    gaps = [name.lower() for name, text in items.items() if text.startswith(_GAP)]
    says = f"Of {len(items)} points {len(gaps)} are not given: {listed(gaps)}." if gaps else "Every point is given."
    return Section("checklist", "Reporting checklist", [Paragraph(says), Facts(list(items.items()))])


def _missing(key: str, section: str = "reporting") -> str:
    return f"{_GAP}: {key} in [{section}] of the study file."


def _design(quiz: QuizSettings) -> str:
    if quiz.protocol in PAIR_PROTOCOLS:
        counts = plural(quiz.pairs, "pair")
    else:
        counts = f"{quiz.real} real and {plural(quiz.fake, 'generated picture')}"
    levels = listed(["until the answer" if each is None else milliseconds(each) for each in quiz.levels_ms])
    exposures = f"shown {levels}"
    if quiz.protocol in ADAPTIVE_PROTOCOLS:
        exposures = f"exposure by {'QUEST+' if quiz.protocol == QUEST_PLUS else 'staircase'}"
    return (
        f"{PROTOCOLS[quiz.protocol].in_brief}; each person {counts} of each data set, never both versions of an item, "
        f"in random order, {exposures}; {quiz.practice} practice and {quiz.catch} catch trials."
    )


def _made_instructions(quiz: QuizSettings) -> str:
    keys = ", ".join(f"{key} for {answer}" for answer, key in quiz.keys.items())
    return f"The program's own, made from the settings (language {quiz.language}; keys: {keys})."


def _exclusions(folder: StudyFolder) -> str:
    table = folder.table(PARTICIPATION)
    study = folder.study
    rules: list[str] = []
    if study is not None:
        plan = study.analysis
        rules = [*(rule for rule in plan.exclude_participants if not is_on_outcome(rule)), *plan.exclude]
    applied = [*dict.fromkeys(rule for cell in table["rule"].dropna() for rule in str(cell).split("; "))]
    named = listed([*dict.fromkeys([*rules, *applied])])
    if table.empty:
        return f"Rules: {named}." if named else "None."
    people, trials = int(is_excluded(table).sum()), int(table["n_excluded"].sum())
    out = f"{plural(people, 'participant')} and {plural(trials, 'trial')} left out"
    return f"{out} by {named}." if named else "None; no rule was set."
