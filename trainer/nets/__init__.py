"""The networks and their layers.

Begin with `build.py`, which makes them from the settings, then `unet.py`.
"""
