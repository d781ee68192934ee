"""Exercises graded: what tests use to look at a student's work. `python -m vitkeras.grading` is for instructors."""

from vitkeras.grading.comparing import Different, close, equal, refuses
from vitkeras.grading.student import Ended, Missing, Raised, TooLate

__all__ = ["Different", "Ended", "Missing", "Raised", "TooLate", "close", "equal", "refuses"]
