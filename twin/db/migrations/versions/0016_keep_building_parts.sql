CREATE TABLE building_part (
    id text COLLATE "C" NOT NULL,
    dataset_id smallint NOT NULL,
    dataset text COLLATE "C" NOT NULL,
    object_id text COLLATE "C" NOT NULL,
    building text COLLATE "C" NOT NULL,
    parent text COLLATE "C" NOT NULL,
    city text COLLATE "C",
    synthetic boolean,
    national_building_id text COLLATE "C",
    municipal_id text COLLATE "C",
    street text COLLATE "C",
    house_number text COLLATE "C",
    postal_code text COLLATE "C",
    current_use text COLLATE "C",
    status text COLLATE "C",
    year_of_construction integer,
    storeys_above_ground double precision,
    floor_area_m2 double precision,
    material text COLLATE "C",
    heating text COLLATE "C",
    energy_class text COLLATE "C",
    measured_height_m double precision,
    height_m double precision,
    height_ground_m double precision,
    height_eave_m double precision,
    height_ridge_m double precision,
    height_max_m double precision,
    volume_m3 double precision,
    footprint_area_m2 double precision,
    footprint_perimeter_m double precision,
    box_length_m double precision,
    box_width_m double precision,
    box_azimuth_deg double precision,
    storeys_estimated integer,
    floor_area_estimated_m2 double precision,
    elongation double precision,
    rectangularity double precision,
    circularity double precision,
    hemisphericality double precision,
    cubeness double precision,
    convexity double precision,
    roof_type text COLLATE "C",
    roof_area_m2 double precision,
    roof_area_flat_m2 double precision,
    roof_area_sloped_m2 double precision,
    wall_area_m2 double precision,
    ground_area_m2 double precision,
    closed boolean,
    volume_method text COLLATE "C",
    volume_disagreement double precision,
    quality text COLLATE "C",
    footprint_method text COLLATE "C",
    lod text COLLATE "C",
    surfaces integer,
    placement text COLLATE "C",
    footprint geometry(MultiPolygon, 4326),
    footprint_3857 geometry(MultiPolygon, 3857),
    west double precision,
    south double precision,
    east double precision,
    north double precision,
    z_min double precision,
    z_max double precision,
    quadkey bigint,
    row_hash bytea NOT NULL,
    geojson text NOT NULL,
    recorded_from timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_building_part PRIMARY KEY (id)
);
COMMENT ON COLUMN building_part.id IS '{dataset}.{object_id}';
COMMENT ON COLUMN building_part.building IS 'id of the building as a feature';
COMMENT ON COLUMN building_part.parent IS 'id of the building or part above';
COMMENT ON COLUMN building_part.z_min IS 'ellipsoidal height of the lowest point, metres';
COMMENT ON COLUMN building_part.z_max IS 'ellipsoidal height of the highest point, metres';
COMMENT ON COLUMN building_part.quadkey IS 'Morton code of the centroid''s cell at level 24';
COMMENT ON COLUMN building_part.row_hash IS 'of everything that is served';
COMMENT ON COLUMN building_part.geojson IS 'the whole GeoJSON Feature';
CREATE TABLE building_part_history (
    LIKE building_part INCLUDING DEFAULTS INCLUDING COMMENTS,
    recorded_to timestamptz DEFAULT now() NOT NULL
);
CREATE INDEX ix_building_part_dataset_id_building ON building_part (dataset_id, building);
CREATE INDEX ix_building_part_footprint ON building_part USING gist (footprint);
CREATE INDEX ix_building_part_footprint_3857 ON building_part USING gist (footprint_3857);
CREATE INDEX ix_building_part_history_id_recorded_to ON building_part_history (id, recorded_to);

-- Buildings with parts are measured again by the next 'twin process', which fills the new table.
UPDATE city_object SET measured_with = 0
WHERE parent_id IS NULL AND type = 'Building' AND measured_with IS NOT NULL
    AND (dataset_id, object_id) IN (SELECT dataset_id, root_id FROM city_object WHERE type = 'BuildingPart');

-- What an interrupted import left has no parts: it begins anew.
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN
        SELECT tablename FROM pg_tables
        WHERE schemaname = current_schema() AND tablename ~ '^staged_[0-9a-f]{16}_'
    LOOP
        EXECUTE format('DROP TABLE %I', name);
    END LOOP;
END
$$;
