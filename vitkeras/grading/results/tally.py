"""A class counted, one student after the other: what the summary tells of, without keeping anybody's results."""

from collections import Counter

from vitkeras.grading.results.pages import SIGNS
from vitkeras.grading.results.plain import on_one_line, points

NEEDS_A_LOOK = ("ended", "late")
FEW = 2  # tests that are named one by one
DISTINCT = 300  # different texts that are counted; when each student has another, none is common


class Spread:
    """How often each number of points was had: all that mean, median and histogram need."""

    def __init__(self, of):
        self.of = of
        self.counts = Counter()

    def add(self, value):
        self.counts[round(value, 2)] += 1

    def mean(self):
        return sum(value * many for value, many in self.counts.items()) / (self.counts.total() or 1)

    def median(self):
        many = self.counts.total()
        return (self.from_below((many - 1) // 2) + self.from_below(many // 2)) / 2 if many else 0

    def from_below(self, place):
        for value, many in sorted(self.counts.items()):
            if place < many:
                return value
            place -= many
        raise IndexError(place)

    def full(self):
        return sum(many for value, many in self.counts.items() if value >= self.of - 0.005)


class Test:
    """How a test went for the class."""

    def __init__(self, exercise, told):
        self.exercise, self.title, self.hidden = exercise, told["title"], told.get("hidden", True)
        self.statuses = Counter()
        self.messages = Counter()

    def not_passed(self):
        return self.statuses.total() - self.statuses["passed"]

    def share(self):
        return self.not_passed() / (self.statuses.total() or 1)

    def most_said(self):
        """The message that more than one student got most often, and how many got it."""
        ((text, many),) = self.messages.most_common(1) or [("", 0)]
        return (text, many) if many > 1 else ("", 0)


class Tally:
    """Grows by a line a student, whatever a student's results weigh."""

    def __init__(self, run):
        self.run = run
        self.exercises = {each["name"]: Spread(each["max_points"]) for each in run["exercises"]}
        self.totals = Spread(sum(each["max_points"] for each in run["exercises"]))
        self.ungraded = Counter()  # by exercise: how many had a problem instead of a grade
        self.problems = Counter()  # by exercise's title and text
        self.tests = {}
        self.students = []  # (name, slug, points, [what needs a look])
        for each in run["exercises"]:
            for test in each["tests"]:
                self.tests[each["name"], test["name"], test["hidden"]] = Test(each["title"], test)

    def add(self, slug, results):
        look = [line for result in results for line in self.add_result(result)]
        total = points(results)[0]
        self.totals.add(total)
        self.students.append((results[0]["student"] if results else slug, slug, total, look))

    def add_result(self, result):
        """Count one result; return what an instructor should have a look at."""
        exercise, title = result["exercise"], result["title"]
        self.exercises[exercise].add(result["points"])
        problem = on_one_line(result.get("problem", ""))
        reasons = (
            [problem, *(on_one_line(note) for note in result.get("notes", [])[:3])]
            if problem or not result["points"]
            else []
        )
        look = [f"{title}: {'; '.join(filter(None, reasons))}"] if any(reasons) else []
        if problem:
            self.ungraded[exercise] += 1
            count(self.problems, (title, problem[:300]))
        for test in result["tests"]:
            seen = self.tests.setdefault((exercise, test["name"], test["hidden"]), Test(title, test))
            seen.statuses[test["status"]] += 1
            if problem or test["status"] == "passed":
                continue
            if text := on_one_line(test.get("message", "")):
                count(seen.messages, text[:200])
        for status in () if problem else NEEDS_A_LOOK:
            where = [f"“{test['title']}”" for test in result["tests"] if test["status"] == status]
            if where:
                told = ", ".join(where) if len(where) <= FEW else f"{where[0]} and {len(where) - 1} other tests"
                look.append(f"{title}: {SIGNS[status][1]} in {told}")
        return look


def count(counter, key):
    if key in counter or len(counter) < DISTINCT:
        counter[key] += 1
