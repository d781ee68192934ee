"""The page in real Chromium: with mouse, keyboard and finger, and whatever else people do with a page."""

import re
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

SEVEN = [(0.3, 0.22), (0.7, 0.22), (0.45, 0.85)]
ONE = [(0.5, 0.2), (0.5, 0.85)]


def place(page, selector, x, y):
    box = page.locator(selector).bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def draw(page, points):
    page.mouse.move(*place(page, "#pad", *points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*place(page, "#pad", *point), steps=8)
    page.mouse.up()


def answer(page, section, text):
    found = page.locator(f"#{section} .answer").filter(has_text=re.compile(text))
    found.wait_for()
    return found.inner_text()


def looked(page, section):
    """What the picture of the attention looks like."""
    return page.locator(f"#{section} .looker canvas").screenshot()


def picture(noise=40):
    """A file like a photo: a blue sky above something green."""
    pixels = np.zeros((120, 160, 3), "uint8")
    pixels[:60], pixels[60:] = (90, 150, 230), (40, 120, 50)
    grain = np.random.default_rng(1).integers(0, noise, pixels.shape)
    file = BytesIO()
    Image.fromarray((pixels + grain.astype("uint8")).clip(0, 255)).save(file, "PNG")
    return {"name": "meadow.png", "mimeType": "image/png", "buffer": file.getvalue()}


def test_a_digit_drawn_with_the_mouse_is_read_and_a_clicked_patch_changes_the_map(page, keep):
    draw(page, SEVEN)
    assert answer(page, "digit", "^7, ")
    shares = [float(text.rstrip("%")) for text in page.locator("#digit .bars li span:last-child").all_inner_texts()]
    assert len(shares) == 10
    assert sum(shares) == pytest.approx(100, abs=1)

    overall = looked(page, "digit")
    page.mouse.click(*place(page, "#digit .looker canvas", 0.5, 0.5))
    assert page.locator("#digit .what").inner_text().startswith("Row 4, column 4 attends to: row")
    of_patch = looked(page, "digit")
    page.locator("#digit .layer").select_option("3")
    page.locator("#digit .head").select_option("2")
    of_head = looked(page, "digit")
    keep(page, "digit")
    page.locator("#digit .layer").select_option(label="all (rollout)")
    assert page.locator("#digit .head").is_disabled()
    assert len({overall, of_patch, of_head, looked(page, "digit")}) == 4
    page.locator("#digit .looker canvas").press("Escape")
    assert page.locator("#digit .what").inner_text().startswith("How much each patch is looked at")
    assert page.faults == []


def test_every_stroke_is_asked_about_and_can_be_taken_back(page):
    draw(page, ONE)
    answer(page, "digit", "^1, ")
    draw(page, [(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8), (0.2, 0.2)])
    answer(page, "digit", "^[^1], ")
    page.locator("#undo").click()
    answer(page, "digit", "^1, ")
    page.locator("#clear").click()
    answer(page, "digit", "Nothing has been asked")


def test_all_of_it_can_be_done_by_keyboard(page):
    page.locator("#pad").focus()
    for key in [*["ArrowUp"] * 9, " ", *["ArrowDown"] * 18, " "]:
        page.keyboard.press(key)
    answer(page, "digit", "^1, ")
    page.locator("#digit .looker canvas").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#digit .what").inner_text().startswith("Row 4, column 4")
    page.keyboard.press("ArrowUp")
    assert page.locator("#digit .what").inner_text().startswith("Row 3, column 4")
    page.locator("#tab-digit").focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator("#pair").is_visible()
    page.locator("#verdicts tbody tr").first.wait_for()
    before = page.locator("#stage").screenshot()
    page.locator("#stage").focus()
    for key in ("2", *["ArrowLeft"] * 8):
        page.keyboard.press(key)
    page.wait_for_timeout(500)
    assert page.locator("#stage").screenshot() != before


def test_everything_that_can_be_used_has_a_name_for_a_screen_reader(page):
    page.locator("#tab-pair").click()
    page.locator("#verdicts tbody tr").first.wait_for()
    page.locator("#tab-digit").click()
    draw(page, ONE)
    answer(page, "digit", "^1, ")
    for tab in ("digit", "photo", "pair"):
        page.locator(f"#tab-{tab}").click()
        told = page.locator("body").aria_snapshot()
        kinds = "button|tab|combobox|slider|application|img|meter|textbox"
        assert not re.findall(rf"- (?:{kinds})(?: \[[^]]*\])*(?::|$)", told, re.MULTILINE), told


def test_a_photo_is_shown_to_the_model_and_a_broken_one_is_refused_in_words(page, keep):
    page.locator("#tab-photo").click()
    page.locator("#file").set_input_files(picture())
    answer(page, "photo", r"%$")
    assert page.locator("#photo .bars li").count() == 10
    keep(page, "photo")
    whole = picture()
    page.locator("#file").set_input_files(whole | {"name": "half.png", "buffer": whole["buffer"][:900]})
    trouble = page.locator("#trouble")
    trouble.filter(has_text="half.png").wait_for()
    assert "truncated or damaged" in trouble.inner_text()
    page.locator("#file").set_input_files({"name": "<b>.svg", "mimeType": "image/svg+xml", "buffer": b"<svg></svg>"})
    trouble.filter(has_text="<b>.svg is an SVG drawing").wait_for()
    page.locator("#file").set_input_files(picture(noise=30))
    answer(page, "photo", r"%$")
    assert trouble.is_hidden()
    assert page.faults == []


def test_two_shapes_are_moved_and_three_models_say_what_they_think(page, keep):
    page.locator("#tab-pair").click()
    row = page.locator("#verdicts tbody tr")
    row.nth(2).wait_for()
    assert page.locator("#truth").inner_text() == "They are of two kinds: different."
    assert row.locator("th").all_inner_texts() == ["CNN", "hybrid", "ViT"]
    assert all("different" in text for text in row.locator("td:nth-child(2)").all_inner_texts())
    page.locator("#kind-2").select_option("circle")
    page.locator("#truth").filter(has_text="the same").wait_for()
    page.locator("#agreement").filter(has_text="All three are right").wait_for()
    before = page.locator("#stage").screenshot()
    page.mouse.move(*place(page, "#stage", 66 / 96, 62 / 96))
    page.mouse.down()
    page.mouse.move(*place(page, "#stage", 0.5, 0.85), steps=5)
    page.mouse.up()
    page.wait_for_timeout(800)
    assert page.locator("#stage").screenshot() != before
    assert page.locator("#pair .what").inner_text()
    keep(page, "pair")
    assert page.faults == []


def test_it_speaks_portuguese_and_what_was_drawn_stays(page, keep):
    draw(page, SEVEN)
    answer(page, "digit", "^7, ")
    page.locator("#language").click()
    assert page.locator("h1").inner_text() == "Para onde olha um Vision Transformer?"
    assert page.locator("html").get_attribute("lang") == "pt"
    assert answer(page, "digit", "^7, ")
    page.mouse.click(*place(page, "#digit .looker canvas", 0.5, 0.4))
    assert page.locator("#digit .what").inner_text().startswith("Linha 3, coluna 4 dá atenção a: linha")
    keep(page, "em-portugues")


def test_a_phone_is_wide_enough(page, keep):
    page.set_viewport_size({"width": 360, "height": 740})
    draw(page, SEVEN)
    answer(page, "digit", "^7, ")
    page.locator("#tab-photo").click()
    page.locator("#file").set_input_files(picture())
    answer(page, "photo", r"%$")
    for tab in ("digit", "photo", "pair"):
        page.locator(f"#tab-{tab}").click()
        page.wait_for_timeout(200)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, tab
    keep(page, "phone")


def test_a_finger_draws_and_a_second_one_does_not_disturb_it(chromium, url):
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, locale="en-US"
    )
    page = context.new_page()
    page.goto(url)
    fingers = context.new_cdp_session(page)

    def touch(kind, *places):
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    way = [place(page, "#pad", 0.5, 0.2 + 0.65 * step / 20) for step in range(21)]
    elsewhere = place(page, "#pad", 0.1, 0.5)
    touch("touchStart", way[0])
    for number, point in enumerate(way[1:], 1):
        touch("touchMove" if number != 10 else "touchStart", point, *[elsewhere] * (number >= 10))
    touch("touchEnd")
    assert answer(page, "digit", "^1, ")
    assert page.evaluate("scrollY") == 0  # the page stayed where it was
    context.close()


def test_no_request_leaves_the_machine(page, url):
    draw(page, SEVEN)
    answer(page, "digit", "^7, ")
    page.locator("#tab-photo").click()
    page.locator("#file").set_input_files(picture())
    answer(page, "photo", r"%$")
    page.locator("#tab-pair").click()
    page.locator("#verdicts tbody tr").first.wait_for()
    assert len(page.asked) > 8
    assert [asked for asked in page.asked if not asked.startswith((f"{url}/", "blob:", "data:"))] == []


def test_when_the_program_has_gone_the_page_says_so(page):
    page.route("**/gradio_api/run/**", lambda route: route.abort())
    draw(page, SEVEN)
    page.locator("#trouble").filter(has_text="does not answer").wait_for()
