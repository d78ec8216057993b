"""The networks and their layers.

Open `build.py` first: it makes them from the settings; then `unet.py`.
"""
