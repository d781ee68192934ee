"""The program around the lessons of `lessons/`: list them, run them, make notebooks of them."""
