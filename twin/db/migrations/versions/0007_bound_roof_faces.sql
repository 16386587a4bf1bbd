ALTER TABLE roof_face
    ADD COLUMN west double precision,
    ADD COLUMN south double precision,
    ADD COLUMN east double precision,
    ADD COLUMN north double precision,
    ADD COLUMN z_min double precision,
    ADD COLUMN z_max double precision;
COMMENT ON COLUMN roof_face.z_min IS 'ellipsoidal height of the lowest point, metres';
COMMENT ON COLUMN roof_face.z_max IS 'ellipsoidal height of the highest point, metres';

-- The geoid is the same above a face as at the top of its building.
UPDATE roof_face r
SET west = ST_XMin(r.footprint), south = ST_YMin(r.footprint),
    east = ST_XMax(r.footprint), north = ST_YMax(r.footprint),
    z_min = r.height_min_m + (f.z_max - f.height_max_m),
    z_max = r.height_max_m + (f.z_max - f.height_max_m)
FROM feature f
WHERE f.dataset_id = r.dataset_id AND f.object_id = r.object_id;

CREATE INDEX ix_roof_face_building ON roof_face (building);
CREATE INDEX ix_roof_face_footprint_3857 ON roof_face USING gist (footprint_3857);
