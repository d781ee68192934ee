"""Small charts drawn in the page. Each says in words what it shows."""

from vitkeras.grading.results.pages import SIGNS, counted, tag
from vitkeras.grading.results.plain import number

WIDTHS = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)


def bar(points, of):
    """Points as the filled part of a bar."""
    share = 100 * min(max(points / of, 0), 1) if of else 0
    return tag(
        "div",
        tag("i", style=f"width:{share:.2f}%"),
        class_="bar",
        role="img",
        aria_label=f"{number(points)} of {number(of)} points",
    )


def shares(counts):
    """How many had which status, {status: number}, as one bar in pieces."""
    total = sum(counts.values())
    order = [status for status in SIGNS if status != "passed"] + ["passed"]
    present = [(status, counts[status]) for status in order if counts.get(status)]
    return tag(
        "div",
        [tag("i", class_=status, style=f"width:{100 * count / total:.2f}%") for status, count in present],
        class_="bar",
        role="img",
        aria_label=", ".join(f"{count} {SIGNS[status][1]}" for status, count in present),
    )


def bins(totals, of):
    """Edges and heights of a histogram of {points: how many}, in steps that one can read."""
    width = next((width for width in WIDTHS if of / width <= 12), of / 10)
    steps = max(1, round(of / width + 0.4999))
    heights = [0] * steps
    for points, many in totals.items():
        heights[min(max(int(points / width), 0), steps - 1)] += many  # full points belong to the last bin
    return [min(step * width, of) for step in range(steps + 1)], heights


def histogram(totals, of, name, height=170):
    """Bars over the points; sizes in percent of the width, so that letters stay as large on a phone."""
    edges, heights = bins(totals, of)
    highest, step, floor = max(heights) or 1, 100 / len(heights), height - 40
    words = [
        f"{number(low)} to {number(high)} points: {counted(many, 'student')}"
        for low, high, many in zip(edges, edges[1:], heights, strict=False)
    ]
    drawn = []
    for place, (many, text) in enumerate(zip(heights, words, strict=True)):
        tall = (floor - 20) * many / highest
        x, y = f"{place * step + step * 0.06:.2f}%", f"{floor - tall:.1f}"
        shape = tag("rect", tag("title", text), x=x, y=y, width=f"{step * 0.88:.2f}%", height=f"{tall:.1f}", rx="2")
        middle = f"{(place + 0.5) * step:.2f}%"
        drawn += [shape, tag("text", many, x=middle, y=f"{floor - tall - 5:.1f}", class_="count") if many else ""]
    for place, edge in enumerate(edges):
        anchor = {0: "start", len(heights): "end"}.get(place, "middle")
        drawn.append(tag("text", number(edge), x=f"{place * step:.2f}%", y=f"{floor + 17}", text_anchor=anchor))
    drawn.append(tag("line", x1="0", x2="100%", y1=f"{floor}", y2=f"{floor}"))
    drawn.append(tag("text", "points", x="50%", y=f"{height - 4}", text_anchor="middle"))
    label = f"{name}. {'; '.join(words)}"
    return tag("svg", drawn, class_="histogram", width="100%", height=str(height), role="img", aria_label=label)


def small_histogram(totals, of):
    """The same in the size of a word."""
    edges, heights = bins(totals, of)
    highest = max(heights) or 1
    talls = [28 * many / highest for many in heights]
    drawn = [
        tag("rect", x=place * 10 + 1, y=f"{30 - tall:.1f}", width="8", height=f"{tall:.1f}")
        for place, tall in enumerate(talls)
        if tall
    ]
    drawn.append(tag("line", x1="0", x2=len(heights) * 10, y1="30", y2="30"))
    words = "; ".join(
        f"{number(low)} to {number(high)}: {many}"
        for low, high, many in zip(edges, edges[1:], heights, strict=False)
        if many
    )
    box = {"viewBox": f"0 0 {len(heights) * 10} 31", "preserveAspectRatio": "none"}
    return tag("svg", drawn, class_="small", **box, width="96", height="30", role="img", aria_label=words)
