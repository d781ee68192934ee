"""One lesson, many times: every combination of some settings, with several seeds, on one machine or on many.

python -m vitkeras.sweep tr02c --seeds 5 --set patch_size=4,7,14 --out my-sweep -- --epochs 3
"""
