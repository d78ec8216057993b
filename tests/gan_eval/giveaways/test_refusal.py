"""The quiz's guard."""

import pytest
from giveaway_pictures import as_png
from rehashed import rehash

from gan_eval.errors import UserError
from gan_eval.giveaways import facts as reading
from gan_eval.giveaways.refusal import require_no_giveaways, require_no_identical
from gan_eval.stimuli.sets import read_set, read_sets

JPEG = (".jpg", as_png)


def test_what_the_message_says_is_what_allows_it(make_set):
    stimuli = make_set(real=JPEG, names={"real": "{item}_photo", "fake": "{item}"})
    with pytest.raises(UserError) as refused:
        require_no_giveaways([stimuli], allow=("format",))
    message = str(refused.value)
    assert message.startswith(f"{stimuli.folder}: ")
    assert f"gan-eval stimuli equalise {stimuli.folder} --out " in message
    assert 'quiz.allow_giveaways = ["format", ' in message
    allow = str(refused.value).split("[")[1].rstrip("]").replace('"', "").split(", ")
    require_no_giveaways([stimuli], allow=allow)


@pytest.mark.parametrize(("name", "words"), [("fromat", "is not a clue"), ("brightness", "is never refused")])
def test_only_metadata_clues_can_be_allowed(make_set, name, words):
    with pytest.raises(UserError, match=rf"quiz.allow_giveaways: '{name}' {words}.*format"):
        require_no_giveaways([make_set()], allow=(name,))


def test_merged_sets_are_looked_at_and_the_right_one_is_named(make_set):
    good, bad = make_set(folder="a", model="a"), make_set(folder="b", model="b", fake=JPEG)
    merged = read_sets([good.folder, bad.folder])
    with pytest.raises(UserError) as refused:
        require_no_giveaways([merged], allow=())
    assert str(refused.value).startswith(f"{bad.folder}: real and b's pictures")
    require_no_giveaways([good], allow=())


def test_a_lost_or_broken_file_is_left_to_the_sessions_own_check(make_set):
    stimuli = make_set()
    (stimuli.folder / "real" / "p1.png").unlink()
    (stimuli.folder / "fake" / "p2.png").write_bytes(b"")
    require_no_giveaways([stimuli], allow=())


def test_headers_alone_are_read(make_set, monkeypatch):
    def decoded(*_args):
        raise AssertionError("a picture was decoded")

    stimuli = make_set(real=JPEG, fake=JPEG)
    monkeypatch.setattr(reading.Image.Image, "load", decoded)
    monkeypatch.setattr(reading.JpegImagePlugin.JpegImageFile, "load", decoded)
    require_no_giveaways([stimuli], allow=())


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
