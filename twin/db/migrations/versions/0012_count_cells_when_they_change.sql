CREATE TABLE cell_summary (
    dataset_id smallint NOT NULL,
    type text COLLATE "C" NOT NULL,
    cell bigint NOT NULL,
    size_class smallint NOT NULL,
    objects integer NOT NULL,
    triangles bigint NOT NULL,
    points bigint NOT NULL,
    west double precision,
    south double precision,
    z_min double precision,
    east double precision,
    north double precision,
    z_max double precision,
    size_m double precision,
    block_m double precision,
    CONSTRAINT pk_cell_summary PRIMARY KEY (dataset_id, cell, type, size_class),
    CONSTRAINT fk_cell_summary_dataset_id_dataset FOREIGN KEY (dataset_id) REFERENCES dataset (id) ON DELETE CASCADE
);
COMMENT ON COLUMN cell_summary.type IS 'first-level CityJSON type';
COMMENT ON COLUMN cell_summary.cell IS 'Morton code of the cell at level 15';
COMMENT ON COLUMN cell_summary.size_class IS 'place in twin.model.cells.LEAST_M';
COMMENT ON COLUMN cell_summary.objects IS 'with a mesh at their own LoD';
COMMENT ON COLUMN cell_summary.block_m IS 'how far the block of an object differs from its mesh, at most';

CREATE TABLE cell_change (
    dataset_id smallint NOT NULL,
    cell bigint NOT NULL,
    changed_in bigint NOT NULL
);
CREATE INDEX ix_cell_change_dataset_id_cell ON cell_change (dataset_id, cell);
COMMENT ON COLUMN cell_change.cell IS 'as in cell_summary';
COMMENT ON COLUMN cell_change.changed_in IS 'transaction that changed features in it';

CREATE FUNCTION feature_cells_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO cell_change
        SELECT DISTINCT dataset_id, quadkey >> 18, pg_current_xact_id()::text::bigint
        FROM after_change WHERE quadkey IS NOT NULL;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO cell_change
        SELECT DISTINCT dataset_id, quadkey >> 18, pg_current_xact_id()::text::bigint
        FROM before_change WHERE quadkey IS NOT NULL;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER features_inserted AFTER INSERT ON feature REFERENCING NEW TABLE AS after_change
FOR EACH STATEMENT EXECUTE FUNCTION feature_cells_changed();
CREATE TRIGGER features_updated AFTER UPDATE ON feature
REFERENCING OLD TABLE AS before_change NEW TABLE AS after_change
FOR EACH STATEMENT EXECUTE FUNCTION feature_cells_changed();
CREATE TRIGGER features_deleted AFTER DELETE ON feature REFERENCING OLD TABLE AS before_change
FOR EACH STATEMENT EXECUTE FUNCTION feature_cells_changed();

INSERT INTO cell_summary
SELECT
    o.dataset_id, o.type, o.cell,
    width_bucket(
        o.size_m,
        ARRAY[0, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91, 128, 181, 256, 362, 512, 724, 1024]::float8[]
    ) - 1 AS size_class,
    count(*), sum(o.triangles), sum(o.points),
    min(o.west), min(o.south), min(o.z_min), max(o.east), max(o.north), max(o.z_max), max(o.size_m),
    max(greatest(
        coalesce(o.roof_m, (o.z_max - o.z_min) * 2) * 0.5,
        coalesce(greatest(
            (ST_XMin(o.plan) - o.west) * cos(radians(o.south)),
            ST_YMin(o.plan) - o.south,
            (o.east - ST_XMax(o.plan)) * cos(radians(o.south)),
            o.north - ST_YMax(o.plan)
        ), 0) * 111700,
        0.5
    ))
FROM (
    SELECT
        f.dataset_id, f.type, f.quadkey >> 18 AS cell, f.west, f.south, f.z_min, f.east, f.north, f.z_max,
        m.triangles, coalesce(ST_NPoints(f.footprint), 5) AS points,
        greatest(
            f.z_max - f.z_min,
            sqrt(((f.east - f.west) * cos(radians(f.south))) ^ 2 + (f.north - f.south) ^ 2) * 111700
        ) AS size_m,
        f.height_max_m - f.height_eave_m AS roof_m,
        Box3D(f.footprint) AS plan
    FROM feature f
    JOIN object_mesh m ON m.dataset_id = f.dataset_id AND m.object_id = f.object_id AND m.lod = f.lod
    WHERE f.quadkey IS NOT NULL
    OFFSET 0
) o
GROUP BY 1, 2, 3, 4;
