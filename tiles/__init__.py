"""From stored meshes to 3D Tiles, Arrow sidecars and vector tiles."""
