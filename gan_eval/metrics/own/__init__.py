"""Users' metrics: found by their entry points, and run like the others."""
