"""The HTTP service: OGC API Features, tiles and the viewer."""
