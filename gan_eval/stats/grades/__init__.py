"""How real pictures look: grades and those who give them."""
