"""A page to draw on: what a small ViT makes of it, and which patch attends to which.

python -m vitkeras.demo            opens http://127.0.0.1:7860 in the browser; nothing leaves this machine
"""
