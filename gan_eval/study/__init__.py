"""A study on its way into a folder: its plan, its stages, its sessions; and the study file."""
