"""Data sets of A|B pictures and of photographs: presets, fetching, checking, showing and making them; without torch.

Open `dataset.py` first (the interface), then `pairs.py` and `photographs.py`.
"""
