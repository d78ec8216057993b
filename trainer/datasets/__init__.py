"""Data sets of A|B pictures and of photographs: presets, fetching, checking, showing and making them; without torch.

Start with `dataset.py` (the interface), then `pairs.py` and `photographs.py`.
"""
