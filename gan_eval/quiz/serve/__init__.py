"""The quiz in a browser: `live.py` runs the sessions, `app.py` speaks HTTP, `static/` is the page.

Open `live.py` first. Nothing here imports Qt.
"""
