"""How far a grading is, and how long it will take."""

import threading

from rich import progress as rich_progress


class Progress:
    """Call it as `grade` does: with an exercise and how many submissions, and then with each that is done."""

    def __enter__(self):
        self.bar = rich_progress.Progress(
            rich_progress.TextColumn("{task.description:16}"),
            rich_progress.BarColumn(),
            rich_progress.MofNCompleteColumn(),
            rich_progress.TextColumn("left"),
            rich_progress.TimeRemainingColumn(),
            rich_progress.TextColumn("{task.fields[last]}"),
        )
        self.bar.start()
        self.task, self.lock = None, threading.Lock()
        return self

    def __exit__(self, *fault):
        self.bar.stop()

    def __call__(self, exercise=None, total=0, done=None):
        with self.lock:
            if exercise:
                self.task = self.bar.add_task(exercise.title, total=total, last="")
            if done:
                self.bar.update(self.task, advance=1, last=done.student[:30])
