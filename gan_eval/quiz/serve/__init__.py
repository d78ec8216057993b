"""The quiz in a browser: sessions (`live.py`), content of the pages (`content.py`), HTTP (`app.py`).

The page is in `static/` and `templates/` (`pages.py`). Open `live.py` first. Nothing here imports Qt.
"""
