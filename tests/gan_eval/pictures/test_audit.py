"""The audit finds what differs between the classes, and nothing else; and the quiz's guard."""

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin, PngImagePlugin
from refusals import refused
from rehashed import rehash

from gan_eval import tables
from gan_eval.base.errors import UserError
from gan_eval.pictures.audit import audit, require_no_giveaways, require_no_identical, summary_lines
from gan_eval.pictures.clues import CLUES
from gan_eval.pictures.copies import find_copies
from gan_eval.pictures.equalise import Form, equalise
from gan_eval.pictures.sets import read_set, read_sets, write_set
from gan_eval.tables.frames import read_rows, write_rows

JPEG = (".jpg", Image.Image.save)


def jpeg(**options):
    return ".jpg", lambda image, path: image.save(path, **options)


def with_software(image, path):
    text = PngImagePlugin.PngInfo()
    text.add_text("Software", "Camera")
    image.save(path, pnginfo=text)


def with_transparency(image, path):
    image.convert("RGBA").save(path)


def giving_away(stimuli):
    return {row["clue"] for row in audit([stimuli]).rows if row["verdict"] == "gives_away"}


@pytest.mark.parametrize(
    ("options", "clues"),
    [
        ({}, set()),
        ({"real": JPEG}, {"format"}),
        ({"real": (".png", with_software)}, {"metadata"}),
        ({"fake": (".png", with_transparency)}, {"mode"}),
        ({"real": JPEG, "fake": jpeg(quality=40)}, {"jpeg_tables"}),
        ({"real": JPEG, "fake": jpeg(subsampling="4:4:4")}, {"jpeg_subsampling"}),
        ({"sizes": {"real": (80, 64)}}, {"size"}),
    ],
)
def test_each_difference_between_the_files_is_found(make_set, options, clues):
    assert giving_away(make_set(**options)) == clues


def test_pictures_are_reported_and_never_refused(make_set):
    def dark(image, path):
        Image.fromarray(np.asarray(image) // 3).save(path)

    found = audit([make_set(fake=(".png", dark))])
    verdicts = {row["clue"]: (row["verdict"], row["auc"]) for row in found.rows if row["auc"] is not None}
    assert verdicts["brightness"] == ("look", 0.0)
    assert verdicts["contrast"] == ("look", 0.0)
    assert {word for word, _ in verdicts.values()} == {"ok", "look"}
    lines = summary_lines(found)
    assert not any(line.startswith("equalise with") for line in lines)
    (advice,) = (line for line in lines if "brightness" in line and "use one way" in line)
    assert lines.index(advice) > next(place for place, line in enumerate(lines) if "may be content" in line)


def test_every_clue_has_a_row_with_a_value_or_a_reason_and_the_summary_names_what_tells_first(make_set, tmp_path):
    found = audit([make_set(real=JPEG)])
    assert [row["clue"] for row in found.rows] == list(CLUES)
    assert all((row["auc"] is None) == (row["reason"] is not None) == (row["verdict"] is None) for row in found.rows)
    write_rows(found.rows, tmp_path / "giveaways.csv", tables.GIVEAWAYS)
    assert read_rows(tmp_path / "giveaways.csv", tables.GIVEAWAYS)[0]["verdict"] == "gives_away"
    assert next(row for row in found.rows if row["clue"] == "jpeg_tables")["n_fake"] == 0
    lines = summary_lines(found)
    assert "8 real and 8 generated pictures" in lines[0]
    assert lines[1].split()[:3] == ["gives", "away", "format"]
    assert "JPEG" in lines[1]
    assert "10 of 12 clues compared (not jpeg_tables, jpeg_subsampling): 1 gives the truth away" in lines[0]
    assert summary_lines(audit([make_set(folder="plain")]))[-1].endswith(": no difference found")


def test_a_broken_picture_is_named_and_the_rest_is_done(make_set):
    stimuli = make_set()
    (stimuli.folder / "fake" / "p3.png").write_bytes(b"broken")
    found = audit([stimuli])
    assert len(found.problems) == 1
    assert "p3.png" in found.problems[0]
    assert found.rows[0]["n_fake"] == 7
    assert summary_lines(found)[0].startswith("left out: ")


def test_a_set_of_one_class_has_nothing_to_compare(make_set):
    stimuli = make_set()
    for kind, words in (("real", "no generated pictures"), ("fake", "no real pictures of d")):
        write_set(stimuli.folder, [row for row in stimuli.rows if row["kind"] == kind])
        refused(words, audit, [read_set(stimuli.folder)])


def test_the_last_lines_are_commands_that_fix_the_differences(make_set):
    stimuli = make_set(real=JPEG, sizes={"real": (80, 60)})
    first, *others = [line for line in summary_lines(audit([stimuli])) if "equalise" in line or "--" in line]
    assert first == f"equalise with: gan-eval stimuli equalise {stimuli.folder} --out {stimuli.folder}-equal --fit crop"
    assert "--jpeg 75" in others[0]
    assert "--fit stretch" in others[1]
    equal = stimuli.folder.with_name(f"{stimuli.folder.name}-equal")
    equalise(stimuli.folder, equal, Form(fit="crop", jpeg=75))
    equalised = read_set(equal)
    assert giving_away(equalised) == set()
    assert not any("equalise with" in line for line in summary_lines(audit([equalised])))


def test_what_the_message_says_is_what_allows_it(make_set):
    stimuli = make_set(real=JPEG, sizes={"real": (80, 64)})
    with pytest.raises(UserError) as refused:
        require_no_giveaways([stimuli], allow=("format",))
    message = str(refused.value)
    assert message.startswith(f"{stimuli.folder}: ")
    assert f"equalise {stimuli.folder} --out" in message
    assert "quiz.allow_giveaways" in message
    allow = str(refused.value).split("[")[1].rstrip("]").replace('"', "").split(", ")
    require_no_giveaways([stimuli], allow=allow)


def test_merged_sets_are_looked_at_and_the_right_one_is_named(make_set):
    good, bad = make_set(folder="a", model="a"), make_set(folder="b", model="b", fake=JPEG)
    merged = read_sets([good.folder, bad.folder])
    with pytest.raises(UserError) as refused:
        require_no_giveaways([merged], allow=())
    assert str(refused.value).startswith(f"{bad.folder}: real and b's pictures")
    require_no_giveaways([good], allow=())
    formats = [(row["model"], row["verdict"]) for row in audit([good, bad]).rows if row["clue"] == "format"]
    assert formats == [("a", "ok"), ("b", "gives_away")]


def test_a_lost_or_broken_file_is_left_to_the_sessions_own_check(make_set):
    stimuli = make_set()
    (stimuli.folder / "real" / "p1.png").unlink()
    (stimuli.folder / "fake" / "p2.png").write_bytes(b"")
    require_no_giveaways([stimuli], allow=())


def test_headers_alone_are_read(make_set, monkeypatch):
    def decoded(*_args):
        raise AssertionError("a picture was decoded")

    stimuli = make_set(real=JPEG, fake=JPEG)
    monkeypatch.setattr(Image.Image, "load", decoded)
    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "load", decoded)
    require_no_giveaways([stimuli], allow=())


@pytest.mark.parametrize("compare", [audit, find_copies])
def test_two_sets_that_give_one_name_to_different_pictures_are_not_compared(make_set, tmp_path, compare):
    stimuli = make_set()
    equalise(stimuli.folder, tmp_path / "equal", Form(jpeg=75))
    refused(r"equal/stimuli\.csv: d/real/0.*set/stim", compare, [stimuli, read_set(tmp_path / "equal")])


def test_a_generated_picture_that_is_a_real_one_is_refused_across_sets(make_set):
    first, second = make_set(folder="a", model="a"), make_set(folder="b", model="b", items=3)
    require_no_identical([first, second], allow=())
    content = (first.folder / "real" / "p6.png").read_bytes()
    (second.folder / "fake" / "p1.png").write_bytes(content)
    rehash(second.folder)
    second = read_set(second.folder)
    require_no_identical([second], allow=())
    with pytest.raises(UserError) as refused:
        require_no_identical([first, second], allow=("format",))
    message = str(refused.value)
    assert message.startswith("1 generated picture is a real one, byte for byte: d/b/1 = d/real/6; ")
    assert "--allow-giveaways format,identical" in message
    assert message.endswith('quiz.allow_giveaways = ["format", "identical"]')
    require_no_identical([first, second], allow=("identical",))
    require_no_giveaways([first], allow=("identical",))
