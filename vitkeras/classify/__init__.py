"""What is on a photo, asked from a terminal: python -m vitkeras.classify chimpanzee.jpg"""
