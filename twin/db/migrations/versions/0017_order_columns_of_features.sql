-- Columns in the order in which rows are read fastest; what is in them stays as it is.

CREATE TABLE feature_ordered (
    quadkey bigint,
    west double precision,
    south double precision,
    east double precision,
    north double precision,
    z_min double precision,
    z_max double precision,
    height_m double precision,
    volume_m3 double precision,
    footprint_area_m2 double precision,
    year_of_construction integer,
    grid_zooms integer GENERATED ALWAYS AS (
    CASE WHEN ST_IsPolygonCW(footprint_3857)
        THEN (COALESCE(ST_IsValidReason(ST_SnapToGrid(footprint_3857, -20037508.342789244, -20037508.342789244, 2.388657133911758, 2.388657133911758)) = 'Valid Geometry', false)::int << 12)
        | (COALESCE(ST_IsValidReason(ST_SnapToGrid(footprint_3857, -20037508.342789244, -20037508.342789244, 1.194328566955879, 1.194328566955879)) = 'Valid Geometry', false)::int << 13)
        | (COALESCE(ST_IsValidReason(ST_SnapToGrid(footprint_3857, -20037508.342789244, -20037508.342789244, 0.5971642834779395, 0.5971642834779395)) = 'Valid Geometry', false)::int << 14)
        | (COALESCE(ST_IsValidReason(ST_SnapToGrid(footprint_3857, -20037508.342789244, -20037508.342789244, 0.29858214173896974, 0.29858214173896974)) = 'Valid Geometry', false)::int << 15)
        | (COALESCE(ST_IsValidReason(ST_SnapToGrid(footprint_3857, -20037508.342789244, -20037508.342789244, 0.14929107086948487, 0.14929107086948487)) = 'Valid Geometry', false)::int << 16)
        ELSE 0 END
) STORED,
    dataset_id smallint NOT NULL,
    type text COLLATE "C" NOT NULL,
    current_use text COLLATE "C",
    city text COLLATE "C",
    row_hash bytea NOT NULL,
    id text COLLATE "C" NOT NULL,
    mesh_hash bytea,
    footprint_3857 geometry(MultiPolygon, 3857),
    footprint geometry(MultiPolygon, 4326),
    storeys_above_ground double precision,
    floor_area_m2 double precision,
    measured_height_m double precision,
    height_ground_m double precision,
    height_eave_m double precision,
    height_ridge_m double precision,
    height_max_m double precision,
    footprint_perimeter_m double precision,
    box_length_m double precision,
    box_width_m double precision,
    box_azimuth_deg double precision,
    floor_area_estimated_m2 double precision,
    elongation double precision,
    rectangularity double precision,
    circularity double precision,
    hemisphericality double precision,
    cubeness double precision,
    convexity double precision,
    roof_area_m2 double precision,
    roof_area_flat_m2 double precision,
    roof_area_sloped_m2 double precision,
    wall_area_m2 double precision,
    ground_area_m2 double precision,
    party_wall_area_m2 double precision,
    inner_wall_area_m2 double precision,
    exterior_wall_area_m2 double precision,
    envelope_area_m2 double precision,
    surface_to_volume double precision,
    nearest_distance_m double precision,
    volume_disagreement double precision,
    recorded_from timestamptz DEFAULT now() NOT NULL,
    storeys_estimated integer,
    touching_neighbours integer,
    neighbours_50m integer,
    neighbours_100m integer,
    surfaces integer,
    synthetic boolean,
    closed boolean,
    valid boolean,
    dataset text COLLATE "C" NOT NULL,
    object_id text COLLATE "C" NOT NULL,
    national_building_id text COLLATE "C",
    municipal_id text COLLATE "C",
    street text COLLATE "C",
    house_number text COLLATE "C",
    postal_code text COLLATE "C",
    status text COLLATE "C",
    material text COLLATE "C",
    heating text COLLATE "C",
    energy_class text COLLATE "C",
    roof_type text COLLATE "C",
    volume_method text COLLATE "C",
    quality text COLLATE "C",
    footprint_method text COLLATE "C",
    neighbours_quality text COLLATE "C",
    validity_codes text COLLATE "C",
    repair text COLLATE "C",
    lod text COLLATE "C",
    placement text COLLATE "C",
    geojson text NOT NULL
);

INSERT INTO feature_ordered (
    quadkey, west, south, east, north, z_min, z_max, height_m, volume_m3, footprint_area_m2,
    year_of_construction, dataset_id, type, current_use, city, row_hash, id, mesh_hash, footprint_3857,
    footprint, storeys_above_ground, floor_area_m2, measured_height_m, height_ground_m, height_eave_m,
    height_ridge_m, height_max_m, footprint_perimeter_m, box_length_m, box_width_m, box_azimuth_deg,
    floor_area_estimated_m2, elongation, rectangularity, circularity, hemisphericality, cubeness, convexity,
    roof_area_m2, roof_area_flat_m2, roof_area_sloped_m2, wall_area_m2, ground_area_m2, party_wall_area_m2,
    inner_wall_area_m2, exterior_wall_area_m2, envelope_area_m2, surface_to_volume, nearest_distance_m,
    volume_disagreement, recorded_from, storeys_estimated, touching_neighbours, neighbours_50m,
    neighbours_100m, surfaces, synthetic, closed, valid, dataset, object_id, national_building_id,
    municipal_id, street, house_number, postal_code, status, material, heating, energy_class, roof_type,
    volume_method, quality, footprint_method, neighbours_quality, validity_codes, repair, lod, placement,
    geojson
)
SELECT
    quadkey, west, south, east, north, z_min, z_max, height_m, volume_m3, footprint_area_m2,
    year_of_construction, dataset_id, type, current_use, city, row_hash, id, mesh_hash, footprint_3857,
    footprint, storeys_above_ground, floor_area_m2, measured_height_m, height_ground_m, height_eave_m,
    height_ridge_m, height_max_m, footprint_perimeter_m, box_length_m, box_width_m, box_azimuth_deg,
    floor_area_estimated_m2, elongation, rectangularity, circularity, hemisphericality, cubeness, convexity,
    roof_area_m2, roof_area_flat_m2, roof_area_sloped_m2, wall_area_m2, ground_area_m2, party_wall_area_m2,
    inner_wall_area_m2, exterior_wall_area_m2, envelope_area_m2, surface_to_volume, nearest_distance_m,
    volume_disagreement, recorded_from, storeys_estimated, touching_neighbours, neighbours_50m,
    neighbours_100m, surfaces, synthetic, closed, valid, dataset, object_id, national_building_id,
    municipal_id, street, house_number, postal_code, status, material, heating, energy_class, roof_type,
    volume_method, quality, footprint_method, neighbours_quality, validity_codes, repair, lod, placement,
    geojson
FROM feature;

DROP TABLE feature;
ALTER TABLE feature_ordered RENAME TO feature;

ALTER TABLE feature ADD CONSTRAINT pk_feature PRIMARY KEY (id);
ALTER TABLE feature ADD CONSTRAINT uq_feature_dataset_id_object_id UNIQUE (dataset_id, object_id);

CREATE INDEX ix_feature_current_use ON feature (current_use);
CREATE INDEX ix_feature_footprint ON feature USING gist (footprint);
CREATE INDEX ix_feature_footprint_3857 ON feature USING gist (footprint_3857);
CREATE INDEX ix_feature_height_m ON feature (height_m);
CREATE INDEX ix_feature_national_building_id ON feature (national_building_id);
CREATE INDEX ix_feature_quadkey ON feature (quadkey);
CREATE INDEX ix_feature_year_of_construction ON feature (year_of_construction);

COMMENT ON COLUMN feature.quadkey IS 'Morton code of the centroid''s cell at level 24';
COMMENT ON COLUMN feature.z_min IS 'ellipsoidal height of the lowest point, metres';
COMMENT ON COLUMN feature.z_max IS 'ellipsoidal height of the highest point, metres';
COMMENT ON COLUMN feature.grid_zooms IS 'bits: zooms whose grid keeps the outline valid';
COMMENT ON COLUMN feature.type IS 'first-level CityJSON type';
COMMENT ON COLUMN feature.row_hash IS 'of everything that is served';
COMMENT ON COLUMN feature.id IS '{dataset}.{object_id}';
COMMENT ON COLUMN feature.geojson IS 'the whole GeoJSON Feature';

CREATE TABLE feature_history_ordered (
    quadkey bigint,
    west double precision,
    south double precision,
    east double precision,
    north double precision,
    z_min double precision,
    z_max double precision,
    height_m double precision,
    volume_m3 double precision,
    footprint_area_m2 double precision,
    year_of_construction integer,
    grid_zooms integer GENERATED ALWAYS AS (
    CASE WHEN ST_IsPolygonCW(footprint_3857)
        THEN (COALESCE(ST_IsValidReason(ST_SnapToGrid(footprint_3857, -20037508.342789244, -20037508.342789244, 2.388657133911758, 2.388657133911758)) = 'Valid Geometry', false)::int << 12)
        | (COALESCE(ST_IsValidReason(ST_SnapToGrid(footprint_3857, -20037508.342789244, -20037508.342789244, 1.194328566955879, 1.194328566955879)) = 'Valid Geometry', false)::int << 13)
        | (COALESCE(ST_IsValidReason(ST_SnapToGrid(footprint_3857, -20037508.342789244, -20037508.342789244, 0.5971642834779395, 0.5971642834779395)) = 'Valid Geometry', false)::int << 14)
        | (COALESCE(ST_IsValidReason(ST_SnapToGrid(footprint_3857, -20037508.342789244, -20037508.342789244, 0.29858214173896974, 0.29858214173896974)) = 'Valid Geometry', false)::int << 15)
        | (COALESCE(ST_IsValidReason(ST_SnapToGrid(footprint_3857, -20037508.342789244, -20037508.342789244, 0.14929107086948487, 0.14929107086948487)) = 'Valid Geometry', false)::int << 16)
        ELSE 0 END
) STORED,
    dataset_id smallint NOT NULL,
    type text COLLATE "C" NOT NULL,
    current_use text COLLATE "C",
    city text COLLATE "C",
    row_hash bytea NOT NULL,
    id text COLLATE "C" NOT NULL,
    mesh_hash bytea,
    footprint_3857 geometry(MultiPolygon, 3857),
    footprint geometry(MultiPolygon, 4326),
    storeys_above_ground double precision,
    floor_area_m2 double precision,
    measured_height_m double precision,
    height_ground_m double precision,
    height_eave_m double precision,
    height_ridge_m double precision,
    height_max_m double precision,
    footprint_perimeter_m double precision,
    box_length_m double precision,
    box_width_m double precision,
    box_azimuth_deg double precision,
    floor_area_estimated_m2 double precision,
    elongation double precision,
    rectangularity double precision,
    circularity double precision,
    hemisphericality double precision,
    cubeness double precision,
    convexity double precision,
    roof_area_m2 double precision,
    roof_area_flat_m2 double precision,
    roof_area_sloped_m2 double precision,
    wall_area_m2 double precision,
    ground_area_m2 double precision,
    party_wall_area_m2 double precision,
    inner_wall_area_m2 double precision,
    exterior_wall_area_m2 double precision,
    envelope_area_m2 double precision,
    surface_to_volume double precision,
    nearest_distance_m double precision,
    volume_disagreement double precision,
    recorded_from timestamptz DEFAULT now() NOT NULL,
    storeys_estimated integer,
    touching_neighbours integer,
    neighbours_50m integer,
    neighbours_100m integer,
    surfaces integer,
    synthetic boolean,
    closed boolean,
    valid boolean,
    dataset text COLLATE "C" NOT NULL,
    object_id text COLLATE "C" NOT NULL,
    national_building_id text COLLATE "C",
    municipal_id text COLLATE "C",
    street text COLLATE "C",
    house_number text COLLATE "C",
    postal_code text COLLATE "C",
    status text COLLATE "C",
    material text COLLATE "C",
    heating text COLLATE "C",
    energy_class text COLLATE "C",
    roof_type text COLLATE "C",
    volume_method text COLLATE "C",
    quality text COLLATE "C",
    footprint_method text COLLATE "C",
    neighbours_quality text COLLATE "C",
    validity_codes text COLLATE "C",
    repair text COLLATE "C",
    lod text COLLATE "C",
    placement text COLLATE "C",
    geojson text NOT NULL,
    recorded_to timestamptz DEFAULT now() NOT NULL
);

INSERT INTO feature_history_ordered (
    quadkey, west, south, east, north, z_min, z_max, height_m, volume_m3, footprint_area_m2,
    year_of_construction, dataset_id, type, current_use, city, row_hash, id, mesh_hash, footprint_3857,
    footprint, storeys_above_ground, floor_area_m2, measured_height_m, height_ground_m, height_eave_m,
    height_ridge_m, height_max_m, footprint_perimeter_m, box_length_m, box_width_m, box_azimuth_deg,
    floor_area_estimated_m2, elongation, rectangularity, circularity, hemisphericality, cubeness, convexity,
    roof_area_m2, roof_area_flat_m2, roof_area_sloped_m2, wall_area_m2, ground_area_m2, party_wall_area_m2,
    inner_wall_area_m2, exterior_wall_area_m2, envelope_area_m2, surface_to_volume, nearest_distance_m,
    volume_disagreement, recorded_from, storeys_estimated, touching_neighbours, neighbours_50m,
    neighbours_100m, surfaces, synthetic, closed, valid, dataset, object_id, national_building_id,
    municipal_id, street, house_number, postal_code, status, material, heating, energy_class, roof_type,
    volume_method, quality, footprint_method, neighbours_quality, validity_codes, repair, lod, placement,
    geojson, recorded_to
)
SELECT
    quadkey, west, south, east, north, z_min, z_max, height_m, volume_m3, footprint_area_m2,
    year_of_construction, dataset_id, type, current_use, city, row_hash, id, mesh_hash, footprint_3857,
    footprint, storeys_above_ground, floor_area_m2, measured_height_m, height_ground_m, height_eave_m,
    height_ridge_m, height_max_m, footprint_perimeter_m, box_length_m, box_width_m, box_azimuth_deg,
    floor_area_estimated_m2, elongation, rectangularity, circularity, hemisphericality, cubeness, convexity,
    roof_area_m2, roof_area_flat_m2, roof_area_sloped_m2, wall_area_m2, ground_area_m2, party_wall_area_m2,
    inner_wall_area_m2, exterior_wall_area_m2, envelope_area_m2, surface_to_volume, nearest_distance_m,
    volume_disagreement, recorded_from, storeys_estimated, touching_neighbours, neighbours_50m,
    neighbours_100m, surfaces, synthetic, closed, valid, dataset, object_id, national_building_id,
    municipal_id, street, house_number, postal_code, status, material, heating, energy_class, roof_type,
    volume_method, quality, footprint_method, neighbours_quality, validity_codes, repair, lod, placement,
    geojson, recorded_to
FROM feature_history;

DROP TABLE feature_history;
ALTER TABLE feature_history_ordered RENAME TO feature_history;

CREATE INDEX ix_feature_history_id_recorded_to ON feature_history (id, recorded_to);

COMMENT ON COLUMN feature_history.quadkey IS 'Morton code of the centroid''s cell at level 24';
COMMENT ON COLUMN feature_history.z_min IS 'ellipsoidal height of the lowest point, metres';
COMMENT ON COLUMN feature_history.z_max IS 'ellipsoidal height of the highest point, metres';
COMMENT ON COLUMN feature_history.grid_zooms IS 'bits: zooms whose grid keeps the outline valid';
COMMENT ON COLUMN feature_history.type IS 'first-level CityJSON type';
COMMENT ON COLUMN feature_history.row_hash IS 'of everything that is served';
COMMENT ON COLUMN feature_history.id IS '{dataset}.{object_id}';
COMMENT ON COLUMN feature_history.geojson IS 'the whole GeoJSON Feature';

CREATE TRIGGER features_inserted AFTER INSERT ON feature REFERENCING NEW TABLE AS after_change
FOR EACH STATEMENT EXECUTE FUNCTION feature_cells_changed();
CREATE TRIGGER features_updated AFTER UPDATE ON feature
REFERENCING OLD TABLE AS before_change NEW TABLE AS after_change
FOR EACH STATEMENT EXECUTE FUNCTION feature_cells_changed();
CREATE TRIGGER features_deleted AFTER DELETE ON feature REFERENCING OLD TABLE AS before_change
FOR EACH STATEMENT EXECUTE FUNCTION feature_cells_changed();

ANALYZE feature;
