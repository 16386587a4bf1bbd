"""The Model Context Protocol: the questions of planners as tools of an assistant. Reads only."""
