"""Data sets of A|B pictures: presets, fetching, checking, showing and making them. Nothing here needs torch."""
