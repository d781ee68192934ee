"""What runs in the student's process. It stands on its own: behind the walls there is no other part of vitkeras."""
