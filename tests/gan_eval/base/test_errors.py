"""Other programs' errors in a line of our own."""

from gan_eval.base.errors import (
    MAX_LENGTH,
    UserError,
    abbreviated,
    first_sentence,
    last_words,
    memory_ran_out,
    shortened,
)

DRIVER = (
    "Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU and installed a driver from "
    "http://www.nvidia.com/Download/index.aspx"
)


def test_an_error_is_reported_in_its_first_sentence():
    assert first_sentence(RuntimeError(DRIVER)) == "Found no NVIDIA driver on your system"
    assert first_sentence(RuntimeError("version 1.2 of a.b failed\nTraceback")) == "version 1.2 of a.b failed"
    assert first_sentence(KeyError()) == "KeyError"
    assert first_sentence(ValueError("word " * 60), most=20) == "word word word word…".replace("word…", "…")


def test_only_errors_of_allocators_are_a_lack_of_memory():
    assert memory_ran_out(MemoryError())
    assert memory_ran_out(RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"))
    assert not memory_ran_out(RuntimeError("shapes differ"))
    assert not memory_ran_out(ValueError("out of memory"))


def test_a_long_line_ends_after_a_word_and_is_no_longer_than_wanted():
    for most in range(2, len(DRIVER) + 1):
        for text in (shortened(DRIVER, most), last_words(RuntimeError(DRIVER), most=most)):
            assert len(text) <= most
            words = text.replace("…", " ").split()
            assert most < 50 or set(words) <= set(DRIVER.split()), text
    assert shortened(DRIVER, len(DRIVER)) == last_words(RuntimeError(DRIVER), most=len(DRIVER)) == DRIVER


def test_what_a_terminal_would_obey_is_shown_as_an_escape_and_stays_short():
    assert str(UserError("a\x1b[31m: b\udcff\n c")) == "a\\x1b[31m: b\\udcff c"
    for text in ("\0", "\x1b", "\udcff"):  # an escape is longer than what it stands for
        assert len(str(UserError(f"trials.csv: {text * 10_000}; give another"))) <= MAX_LENGTH


def test_a_value_nested_deeper_than_python_goes_is_shown_from_outside():
    value: dict[str, object] = {}
    for _ in range(100_000):
        value = {"a": value}
    assert abbreviated(value).startswith("{'a': {'a': ")
    assert len(abbreviated(value)) <= 100
    while value:  # else taking it apart would go as deep
        value = value["a"]  # type: ignore[assignment]
