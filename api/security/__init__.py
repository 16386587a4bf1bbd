"""Who asks, what they may, how often, and what is kept of it: before any route is reached."""
