ALTER TABLE object_mesh ADD COLUMN faces bytea;
COMMENT ON COLUMN object_mesh.faces IS 'as twin.processing.face_measures; null: of an older version';
COMMENT ON COLUMN object_mesh.mesh_hash IS 'of mesh and faces';

-- The next `twin process` measures the faces of what is stored.
UPDATE city_object SET measured_with = 0 WHERE measured_with IS NOT NULL;
