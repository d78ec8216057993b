"""How long they took."""
