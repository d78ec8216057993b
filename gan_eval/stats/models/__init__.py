"""Mixed models of single answers as tables, and what judges them with fewer assumptions."""
