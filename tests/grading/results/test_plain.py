import pytest

from vitkeras.grading.results.plain import number, on_one_line, shortened, shown


@pytest.mark.parametrize(
    ("value", "text"),
    [(7.0, "7"), (2.5, "2.5"), (0, "0"), (-0.0, "0"), (0.1 + 0.2, "0.3"), (1 / 3, "0.33"), (100, "100"), (10, "10")],
)
def test_numbers_have_no_more_digits_than_they_need(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a\x00b\x07c\x1bd\x7fe", "a␀b␇c␛d␡e"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("50%\x08\x08\x08", "50%"),
        ("a\r\nb\rc\u2028d\x0be", "a\nb\nc\nd\ne"),
        ("\u202eevil\u2066", "⟨U+202E⟩evil⟨U+2066⟩"),
        ("\ud800\ufffe\x9b", "\ufffd\ufffd\ufffd"),
        ("a\tb — ção 漢字 👩‍🚀", "a\tb — ção 漢字 👩‍🚀"),
    ],
)
def test_what_could_act_is_seen_and_the_rest_stays(text, seen):
    assert shown(text) == seen


def test_a_text_on_one_line_has_no_others():
    assert on_one_line(" a\n\tb\u2029 c ") == "a b c"


def test_a_short_text_stays_whole_and_a_long_one_keeps_its_ends():
    assert shortened("abc", 3) == "abc"
    cut = shortened("a" * 500 + "b" * 500, 30)
    assert cut == f"{'a' * 20}\n… 970 characters left out …\n{'b' * 10}"
