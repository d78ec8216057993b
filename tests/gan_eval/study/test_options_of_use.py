"""Every option has an effect, errors name it as it was typed, and `--out` is checked before any work."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from finished import make_set

from gan_eval.__main__ import run
from gan_eval.pictures import decode as pictures

STUDY = '[study]\nname = "s"\n[stimuli]\nsets = ["set"]\n[metrics]\nnames = ["psnr"]\n'
TRAINED = '[study]\nname = "t"\n[data.d]\n[training]\nsteps = 2\nimage_size = 32\n[models.m]\ndata = "d"\n'
RATES = STUDY + "[power]\nfooling_rates = { x = 0.5 }\n"
QUIZ = "quiz --stimuli set --participant P1 --simulate default --store s.sqlite"
POWER = "--out power --stimuli 30"
METRICS = "metrics set --out o --metrics"

Command = Callable[[str], tuple[int, str]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("world")
    make_set(root / "set", 4)
    for name, text in {"s": STUDY, "t": TRAINED, "r": RATES}.items():
        (root / f"{name}.toml").write_text(text)
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        pictures.write_png(root / "data" / "d" / split / f"{split}.png", rng.integers(0, 256, (32, 64, 3), np.uint8))
    answers = [f"P{person},s{place},{'real' if place % 2 else 'fake'},real" for person in (1, 2) for place in range(4)]
    (root / "trials.csv").write_text("\n".join(["participant,stimulus,kind,response", *answers]))
    (root / "unreadable").mkdir()
    (root / "unreadable" / "0.png").write_text("mine")
    (root / "theirs").mkdir()
    (root / "theirs" / "thesis.txt").write_text("mine")
    return root


@pytest.fixture
def command(world: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    monkeypatch.chdir(world)

    def call(line: str) -> tuple[int, str]:
        before = sorted(world.rglob("*"))
        status = run(line.split())
        said = capsys.readouterr()
        if status == 2:
            assert said.err.startswith("gan-eval: ")
            assert said.err.count("\n") == 1
            assert said.out == ""
            assert sorted(world.rglob("*")) == before, "nothing is left behind"
        return status, said.err

    return call


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"{QUIZ} --out o", "--out: is a study's folder; answers to --stimuli go into --store"),
        (f"{QUIZ} --pairs 3", "--pairs: has no effect with the protocol quick_response"),
        (f"{QUIZ} --protocol paired --real 3", "--real: has no effect with the protocol paired"),
        (f"{QUIZ} --protocol staircase --exposure-ms 300", "--exposure-ms: has no effect with the protocol staircase"),
        ("quiz --self-test --no-intro", "--no-intro: quiz --self-test measures this screen alone"),
        ("analyze trials.csv --study s --out o", "--study: chooses among the studies of a --store"),
        ("train --data data/d --model m --out o --steps 1", "--model: names a model of a study"),
        ("train --data data/d --data-root data --out o --steps 1", "--data-root: --data data/d names"),
        ("train --data data/d --out o --steps 1 --set inpainting.fill=mean --direction AtoB", "--direction: holes are"),
        ("run s.toml --out o --fraction 0.5", "--fraction: s.toml trains no model"),
        ("run t.toml --out o --data-root data --smoke --fraction 0.5", "--fraction: a smoke run makes few steps"),
        ("serve --demo --stimuli set --out d", "give one of"),
        ("serve --demo --real 3 --out d", "--real: --demo sets this"),
        ("serve --demo --viewing-distance-cm 57 --out d", "--viewing-distance-cm: --demo sets this"),
        ("serve --demo --store x.sqlite --out d", "--store: the demo keeps its answers"),
        ("serve --demo --public-url quiz.example.org --out d", "--public-url quiz.example.org: expected an address"),
        ("serve set --out o", "set is a stimulus set; give --stimuli set"),
        ("serve --demo --public-url https://quiz.org/?list=1 --out d", "without ? or #"),
        ("serve --demo --public-url https://quiz.org:87000 --out d", "--public-url https://quiz.org:87000: expected"),
        ("metrics set --list", "SET: metrics --list prints text"),
        ("data fetch facades --out o --data-root data", "--data-root: --out o names the data set's own folder"),
        ("stimuli import set --out o --mask-kind x", "--mask-kind x: set has no masks"),
        (f"{QUIZ} --protocol yes_no --exposure-ms 100,5e9", "--exposure-ms: found 5000000000.0"),
        (f"{QUIZ} --exposure-ms 100,200", "--exposure-ms: only the protocol yes_no has several"),
        (f"power r.toml {POWER}", "r.toml: power.fooling_rates.x: no such model"),
        ("analyze trials.csv --out o --exclude x", "--exclude: rule 'x': not understood"),
        (
            "analyze trials.csv --out o --exclude reaction_time_ms<2_00",
            "rule 'reaction_time_ms<2_00': < compares numbers",
        ),
        (
            "analyze trials.csv --out o --exclude reaction_time_ms<nan",
            "rule 'reaction_time_ms<nan': < compares numbers",
        ),
        ("trials import trials.csv --out t.csv --where x", "--where: rule 'x': not understood"),
        ("quiz --participant P01", "either a study file with --out, or --stimuli"),
        ("metrics --real a --out o", "--real DIR and --fake DIR belong together"),
        ("metrics --out o", "either stimulus sets"),
        ("train --out o", "either a study file with --model, or --data"),
        ("train --data absent --steps 3 --out o", "absent: no such data folder"),
        ("train --data absent --steps 3", "--out is missing"),
        ("train s.toml --steps 3 --out o", "--steps: s.toml sets this"),
        ("quiz s.toml --real 3 --participant P1 --out o", "--real: s.toml sets this"),
        ("quiz --stimuli a --keys real=j,fake=j --participant P1", "--keys"),
        ("quiz --self-test --participant P1", "--participant: quiz --self-test measures"),
        ("quiz --stimuli a --exposure-ms long --participant P1", "--exposure-ms: found 'long'"),
        ("metrics a --dataset d --out o", "--dataset and --model belong to"),
        ("stimuli import absent --model real --out o", "--model real"),
        ("generate absent --data absent --out o", "absent"),
        ("trials import absent.csv --out t.csv", "absent.csv"),
        ("trials import absent.csv --map x --out t.csv", "--map x"),
        ("metrics set --out o --resizer x", "--resizer"),
        ("metrics set --out o --device abacus", "--device abacus"),
        (f"{METRICS} ,", "metrics: none named"),
        (f"{METRICS} class_iou --segmenter absent.pt", "--segmenter absent.pt: no such file"),
        (f"{METRICS} fid --weights inception={__file__}", "not the weights"),
        (f"{METRICS} fid --weights inception=absent", "--weights inception=absent: no such file"),
        (f"{METRICS} fid --weights incepton=x", "weights 'incepton': unknown; choose from inception"),
        (f"{METRICS} psnr,fid --weights brisque={__file__}", "--weights brisque: none of the metrics psnr, fid"),
        (f"{METRICS} fid --segmenter palette", "--segmenter: none of the metrics fid needs it"),
        (f"{METRICS} class_iou --resizer clean", "--resizer: none of the metrics class_iou needs it"),
        (f"{METRICS} niqe,fid --resize", "--resize: none of the metrics niqe, fid needs it"),
        ("metrics set --out o --report set", "--report"),
        (f"{METRICS} psnr --report r.pdf", "--report r.pdf: the page is HTML; name it r.html"),
        ("run s.toml --out o --only x", "no stage 'x'; known: audit, metrics, quiz"),
        ("stimuli copies set --out o --training absent", "absent: no such folder"),
        ("analyze trials.csv --out o --exclude reaction<200", "--exclude: trials: no column 'reaction'; did you mean"),
        ("analyze trials.csv --out o --exclude-participants x<2", "--exclude-participants: participation: no column"),
        ("trials import trials.csv --out t.xlsx", "--out t.xlsx: expected a name that ends in .csv or .parquet"),
        ("trials import trials.csv --out t.csv --map foo=kind", "--map foo=kind, left of =: no column 'foo'"),
        ("trials import trials.csv --out t.csv --map kind=foo", "--map kind=foo, right of =: no column 'foo'"),
        ("try set/real unreadable --paired --out o", "no usable picture; the first problem: "),
        ("try trials.csv set/real --out o", "trials.csv: is a file, not a folder; name the folder"),
        ("stimuli import trials.csv --out o", "trials.csv: is a file, not a folder"),
        ("report trials.csv", "trials.csv: is a file, not a folder"),
        ("report o --out r.pdf", "--out r.pdf: the page is HTML; name it r.html"),
        ("data check trials.csv", "trials.csv: is a file, not a data folder"),
        ("metrics set/real set/fake --metrics psnr --out o", "by --real DIR --fake DIR"),
        ("metrics trials.csv --out o", "trials.csv: is a file, not a stimulus set"),
        ("train --data data/d --steps 1 --out o --workers -1", "--workers"),
        ("train --data data/d --steps 1 --image-size 16 --out o --fraction 2.0", " --fraction 2.0: expected "),
    ],
)
def test_an_option_without_effect_or_meaning_is_refused_by_its_name(command: Command, line: str, words: str) -> None:
    status, said = command(line)
    assert (status, words in said) == (2, True), said


def test_a_data_root_in_the_environment_is_fine(command: Command, world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAN_EVAL_DATA", str(world))
    assert "--steps N or --epochs N" in command("train --data data/d --out o")[1]


def _no_work(*_: object, **__: object) -> None:
    raise AssertionError("the output was not looked at first")


@pytest.mark.parametrize(
    ("line", "work"),
    [
        ("analyze trials.csv --out theirs", "gan_eval.judgements.readers.unfilled_trials"),
        ("data pair data/d data/d --out theirs", "trainer.datasets.make.read_rgb"),
        ("data preview data/d --out theirs", "trainer.datasets.check.preview"),
        ("export --store absent --out theirs", "gan_eval.store.export.open_store"),
        ("store merge a b --out theirs/thesis.txt/new.sqlite", "gan_eval.store.merging.push"),
        ("stimuli equalise set --out theirs", "gan_eval.pictures.equalise.common_size"),
        ("trials import trials.csv --out theirs", "gan_eval.judgements.convert.import_trials"),
        ("report theirs --out theirs", "gan_eval.report.write_report"),
        ("report theirs --out r.html --figure theirs/thesis.txt/f.pdf", "gan_eval.report.write_report"),
        ("train --data data/d --out theirs --steps 1", "trainer.loop.run.make_plan"),
    ],
)
def test_the_output_is_checked_first(command: Command, monkeypatch: pytest.MonkeyPatch, line: str, work: str) -> None:
    monkeypatch.setattr(work, _no_work)
    status, said = command(line)
    assert status == 2, said
    assert "theirs" in said or "trials.csv" in said
