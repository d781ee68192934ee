"""What a student may be told. Writers for students get only what passes here, so they have nothing to give away."""

RESULT = ("student", "slug", "exercise", "title", "order", "points", "max_points", "notes", "problem", "seconds")
RESULT += ("submission", "walls", "output")
TEST = ("name", "title", "points", "max_points", "status", "hint", "message", "expected", "got", "seconds", "pictures")
HIDDEN_TEST = ("title", "points", "max_points", "status", "hint")

OF_THE_PROCESS = {  # what a hidden test says: these tell of the student's own process, not of the test
    "late": "Your code took longer than the time that is given.",
    "ended": "The process that your code runs in ended before it answered.",
    "error": "The test could not be carried through with your code.",
    "skipped": "The test was skipped.",
}


def for_student(result):
    """`result` without the seed and without details of hidden tests. What is not known to be harmless is held back."""
    told = {key: result[key] for key in RESULT if key in result}
    tests = [test_for_student(test) for test in result["tests"]]
    return told | {"tests": tests, "seconds": sum(test.get("seconds", 0) for test in tests)}  # of visible tests alone


def test_for_student(test):
    if not test.get("hidden", True):
        return {key: test[key] for key in TEST if key in test} | {"hidden": False}
    told = {key: test[key] for key in HIDDEN_TEST if key in test}
    nothing = {"name": "", "message": OF_THE_PROCESS.get(test["status"], ""), "expected": "", "got": "", "pictures": []}
    return told | nothing | {"hidden": True}
