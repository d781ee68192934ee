import re
import unicodedata
from html.parser import HTMLParser

import pytest

from vitkeras.grading.results import feedback, pages

EMPTY = {"meta", "img", "br"}


class Read(HTMLParser):
    """A page as a browser takes it apart; complains if elements are not closed in turn."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.open, self.words = [], [], []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, name, attributes):
        self.elements.append((name, dict(attributes)))
        if name not in EMPTY:
            self.open.append(name)

    def handle_endtag(self, name):
        assert self.open.pop() == name

    def handle_data(self, text):
        if self.open and self.open[-1] != "style":
            self.words.append(text)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def all(self, name):
        return [attributes for kind, attributes in self.elements if kind == name]


@pytest.fixture(params=["ana-souza", "bo-li", "hostile", "jose-avila"])
def anybody(request, made):
    return made.the_class[request.param]


@pytest.fixture(params=[False, True], ids=["student", "instructor"])
def any_page(request, anybody):
    return feedback.page(anybody, for_instructor=request.param)


def test_a_student_finds_nothing_of_a_hidden_test_but_title_points_and_hint(anybody, made):
    page = feedback.page(anybody)
    assert made.SECRET not in page
    assert made.SEED not in page
    assert made.SECRET not in Read(page).text
    for test in (test for result in anybody for test in result["tests"] if test["hidden"]):
        assert test["title"].capitalize() in page
        assert "test_" + test["title"].replace(" ", "_") not in page


def test_pictures_of_hidden_tests_stay_back(made):
    result = made.result(statuses=("passed", "passed", "failed", "failed"))
    assert Read(feedback.page([result])).all("img") == []
    assert len(Read(feedback.page([result], for_instructor=True)).all("img")) == 2


def test_a_test_that_does_not_say_whether_it_is_hidden_counts_as_hidden(made):
    result = made.result(statuses=("failed",) * 4)
    for test in result["tests"]:
        del test["hidden"]
        test["got"] = made.SECRET
    assert made.SECRET not in feedback.page([result])


def test_what_later_versions_add_to_a_hidden_test_stays_back(made):
    result = made.result(statuses=("failed",) * 4) | {"inputs": made.SECRET}
    result["tests"][2]["inputs"] = made.SECRET
    assert made.SECRET not in feedback.page([result])


def test_a_hidden_test_tells_of_the_students_own_process_in_general_words(made):
    late = Read(feedback.page([made.result(statuses=("passed", "passed", "late", "ended"))])).text
    assert "took longer than the time" in late
    assert "ended before it answered" in late


def test_the_instructor_sees_everything(made):
    result = made.result(statuses=("passed", "passed", "failed", "late"))
    text = Read(feedback.page([result], for_instructor=True)).text
    assert text.count(made.SECRET) >= 6
    assert made.SEED in text


def test_nothing_a_student_wrote_becomes_part_of_the_page(any_page):
    read = Read(any_page)
    kinds = {name for name, _ in read.elements}
    assert not kinds & {"script", "iframe", "object", "link", "base", "form", "svg"}
    assert not [key for _, attributes in read.elements for key in attributes if key.startswith("on")]
    for image in read.all("img"):
        assert re.fullmatch(r"data:image/png;base64,[A-Za-z0-9+/=]+", image["src"])


def test_hostile_text_can_still_be_read(made):
    text = Read(feedback.page(made.the_class["hostile"])).text
    assert "<script>alert(1)</script> red" in text
    assert "nul␀" in text
    assert "⟨U+202E⟩gnp.exe" in text


def test_no_character_acts_on_who_reads(any_page):
    any_page.encode("utf-8")
    assert {unicodedata.category(character) for character in any_page if character not in "\n\t"}.isdisjoint(
        {"Cc", "Cf", "Cs", "Cn"}
    )


def test_the_page_loads_nothing_and_fits_a_phone_and_the_night(any_page):
    metas = Read(any_page).all("meta")
    policies = [meta["content"] for meta in metas if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
    assert any(meta.get("name") == "viewport" and "width=device-width" in meta["content"] for meta in metas)
    assert "prefers-color-scheme: dark" in any_page
    assert "@media print" in any_page


def test_the_page_can_be_heard_as_well_as_seen(any_page):
    read = Read(any_page)
    assert read.all("html") == [{"lang": "en"}]
    assert len(read.all("h1")) == 1
    assert len(read.all("caption")) == len(read.all("table")) > 0
    assert all("scope" in heading for heading in read.all("th"))
    assert all(image["alt"] for image in read.all("img"))
    assert all(drawn["aria-label"] for _, drawn in read.elements if drawn.get("role") == "img")


def test_every_link_and_label_leads_to_one_place(any_page):
    read = Read(any_page)
    names = [attributes["id"] for _, attributes in read.elements if "id" in attributes]
    assert len(names) == len(set(names))
    links = [link["href"][1:] for link in read.all("a") if link["href"].startswith("#")]
    labels = [attributes["aria-labelledby"] for _, attributes in read.elements if "aria-labelledby" in attributes]
    assert {*links, *labels} <= set(names)


def test_the_top_tells_name_total_and_every_exercise(made):
    text = Read(feedback.page(made.the_class["jose-avila"])).text
    assert "José Ávila Total 15 of 20 Patches 7.5 of 10 Attention 7.5 of 10" in text


def test_a_failure_tells_what_was_expected_what_came_and_a_hint(made):
    read = Read(feedback.page([made.result(statuses=("passed", "failed", "passed", "passed"))]))
    told = "Patches are counted ✗ failed patches are counted: it does not hold Expected [1, 2] Got [2, 1]"
    assert told in read.text
    assert "Hint: Hint on patches are counted." in read.text
    assert [image["alt"] for image in read.all("img")] == [
        "patches are counted: your answer",
        "patches are counted: as expected",
    ]


@pytest.mark.parametrize(("status", "words"), [(status, words) for status, (_, words) in pages.SIGNS.items()])
def test_each_status_is_told_in_words(made, status, words):
    assert words in Read(feedback.page([made.result(statuses=(status, "passed", "passed", "passed"))])).text


def test_what_holds_for_the_whole_exercise_is_said_once(made):
    text = Read(feedback.page(made.the_class["bo-li"])).text
    assert text.count("patches.py was not handed in") == 1
    assert "Patches 0 of 10" in text


def test_what_the_code_printed_is_folded_and_notes_are_told(made):
    read = Read(feedback.page(made.the_class["jose-avila"]))
    assert "What the code printed (2 lines) epoch 1 epoch 2" in read.text
    assert "open" not in read.all("details")[0]
    assert "two files" in read.text


def test_the_end_tells_of_the_walls(anybody):
    assert "Walls around the code bubblewrap: no network" in Read(feedback.page(anybody)).text


@pytest.mark.parametrize("fake", ['x" onerror="alert(1)', "PHN2Zz4=", "not base64", ""])
def test_what_is_no_png_is_left_out(made, fake):
    result = made.result(statuses=("failed", "passed", "passed", "passed"))
    result["tests"][0]["pictures"] = [{"title": "picture", "png": fake}]
    assert Read(feedback.page([result])).all("img") == []


def test_a_flood_of_text_is_cut_in_the_middle(made):
    page = feedback.page([made.result(output="begin " + "x" * 1_000_000 + " end")])
    assert len(page) < 100_000
    assert "begin" in page
    assert " end" in page
    assert "characters left out" in page
