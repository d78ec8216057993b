"""The quiz in a browser: `live.py` runs the sessions, `content.py` makes what a page gets, `app.py` speaks HTTP.

The page is in `static/` and `templates/`. Open `live.py` first. Nothing here imports Qt.
"""
