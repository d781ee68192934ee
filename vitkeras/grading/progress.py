"""How far a grading is, and how long it will take."""

import threading

from rich import progress as rich_progress


class Progress:
    """`begin` it with how many results there will be; then tell it of each that is there."""

    def __enter__(self):
        self.bar = rich_progress.Progress(
            rich_progress.TextColumn("{task.description:14}", markup=False),
            rich_progress.BarColumn(),
            rich_progress.MofNCompleteColumn(),
            rich_progress.TextColumn("left"),
            rich_progress.TimeRemainingColumn(),
            rich_progress.TextColumn("{task.fields[last]}", markup=False),
        )
        self.bar.start()
        self.lock = threading.Lock()
        return self

    def __exit__(self, *fault):
        self.bar.stop()

    def begin(self, results):
        self.task = self.bar.add_task("", total=results, last="")

    def done(self, exercise, submission, before=False):
        """`before`: it had been graded earlier, which says nothing of how long the others will take."""
        with self.lock:
            told = {"description": exercise.title[:14], "last": submission.student[:30]}
            if before:
                self.bar.update(self.task, total=self.bar.tasks[self.task].total - 1, **told)
            else:
                self.bar.update(self.task, advance=1, **told)


class Silence:
    """For those who do not want to hear of it."""

    def begin(self, results):
        pass

    def done(self, exercise, submission, before=False):
        pass
