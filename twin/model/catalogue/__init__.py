"""The declarations of the attribute catalogue, a module for each group."""
