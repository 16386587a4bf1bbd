"""Attributes and meshes from geometry; pure functions over flat arrays."""
