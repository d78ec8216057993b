"""Who and what is left out, by which rule."""
