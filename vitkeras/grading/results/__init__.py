"""What is written of a grading, for students, instructors and other programs."""
