"""HTML that escapes whatever it is given, and the frame that all pages share: one file, no script, nothing loaded."""

import html

from vitkeras.grading.results.look import STYLE
from vitkeras.grading.results.plain import number, shown

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"  # a hole in the escaping could load nothing
EMPTY = {"meta", "img", "br"}
SIGNS = {  # a sign and words, so that nothing is told by colour alone
    "passed": ("✓", "passed"),
    "failed": ("✗", "failed"),
    "error": ("!", "error"),
    "late": ("…", "too late"),
    "ended": ("■", "process ended"),
    "skipped": ("–", "skipped"),
}


class Html(str):
    """Text that is HTML already. Only `tag` and `page` make it."""


def tag(kind, /, *inside, **attributes):
    """An element. Text inside and in attributes is escaped; lists are laid flat; what is None or False is left out.

    >>> tag("p", "1 < 2", class_="note")
    '<p class="note">1 &lt; 2</p>'
    """
    written = "".join(
        f" {key.strip('_').replace('_', '-')}" + ("" if value is True else f'="{html.escape(shown(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    return Html(f"<{kind}{written}>" if kind in EMPTY else f"<{kind}{written}>{inner(inside)}</{kind}>")


def inner(parts):
    if isinstance(parts, Html):
        return parts
    if isinstance(parts, (list, tuple)):
        return Html("".join(inner(part) for part in parts))
    return Html("" if parts is None or parts is False else html.escape(shown(parts)))


def page(title, *body):
    """A whole page with `title`."""
    metas = [
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
    ]
    top = tag("head", metas, tag("title", title), tag("style", Html(STYLE)))
    return f"<!doctype html>\n{tag('html', top, tag('body', tag('main', body)), lang='en')}\n"


def sign(status):
    """A status as a sign and words."""
    mark, words = SIGNS.get(status, ("?", status))
    return tag("span", tag("span", mark, class_="mark", aria_hidden="true"), words, class_=f"status {known(status)}")


def known(status):
    return status if status in SIGNS else "error"


def score(points, of):
    return tag("span", tag("b", number(points)), " of ", number(of), class_="score")


def box(text):
    """A text as it was printed, in a box that scrolls; by keyboard too."""
    return tag("pre", text, dir="auto", tabindex="0")


def table(caption, head, rows, **attributes):
    """A table with a heading for each column; the first cell of each row is the row's heading."""
    heads = tag("thead", tag("tr", [tag("th", cell, scope="col") for cell in head]))
    lines = [tag("tr", tag("th", first, scope="row"), [tag("td", cell) for cell in rest]) for first, *rest in rows]
    return tag("table", tag("caption", caption), heads, tag("tbody", lines), **attributes)


def folded(name, *inside, **attributes):
    return tag("details", tag("summary", name), *inside, **attributes)


def sentence(text):
    return text[:1].upper() + text[1:]


def counted(many, one, more=None):
    """`many` with its noun.

    >>> counted(1, "student"), counted(0, "student")
    ('1 student', '0 students')
    """
    return f"{many} {one if many == 1 else more or one + 's'}"
