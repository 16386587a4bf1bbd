CREATE TABLE object_repair (
    dataset_id smallint NOT NULL,
    object_id text COLLATE "C" NOT NULL,
    part_id text COLLATE "C" NOT NULL,
    ordinal smallint NOT NULL,
    steps jsonb NOT NULL,
    volume_before_m3 double precision NOT NULL,
    volume_after_m3 double precision NOT NULL,
    area_before_m2 double precision NOT NULL,
    area_after_m2 double precision NOT NULL,
    lod text COLLATE "C" NOT NULL,
    geometry_type text COLLATE "C" NOT NULL,
    geom geometry(GEOMETRYZ) NOT NULL,
    shell_start integer[] NOT NULL,
    solid_start integer[] NOT NULL,
    face_semantic integer[] NOT NULL,
    surfaces jsonb NOT NULL,
    CONSTRAINT pk_object_repair PRIMARY KEY (dataset_id, object_id, part_id, ordinal)
);
COMMENT ON COLUMN object_repair.object_id IS 'of the building';
COMMENT ON COLUMN object_repair.part_id IS 'of the object with the geometry';
COMMENT ON COLUMN object_repair.ordinal IS 'of the geometry that was invalid';
COMMENT ON COLUMN object_repair.steps IS 'error, what was done, and what it changed';
COMMENT ON COLUMN object_repair.geom IS 'PolyhedralSurface Z, MultiPoint Z or MultiLineString Z in native coordinates';
COMMENT ON COLUMN object_repair.shell_start IS 'offsets into the faces';
COMMENT ON COLUMN object_repair.solid_start IS 'offsets into the shells';
COMMENT ON COLUMN object_repair.face_semantic IS 'into surfaces, or -1';
COMMENT ON COLUMN object_repair.surfaces IS 'semantic surfaces: type, id, attributes';

ALTER TABLE feature ADD COLUMN repair text COLLATE "C";
ALTER TABLE feature_history ADD COLUMN repair text COLLATE "C";

-- Verdicts without a repair are out of date: the next `twin process` gives them anew.
DELETE FROM object_validity;
ALTER TABLE object_validity ADD COLUMN repair text NOT NULL;
COMMENT ON COLUMN object_validity.repair IS 'none, repaired or not repairable';
