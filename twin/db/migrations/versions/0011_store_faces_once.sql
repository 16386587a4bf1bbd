ALTER TABLE object_geometry ALTER COLUMN geom DROP NOT NULL, ADD COLUMN same_as smallint;
ALTER TABLE object_geometry_history ALTER COLUMN geom DROP NOT NULL, ADD COLUMN same_as smallint;

-- Surfaces as a list of objects to an object of lists.
CREATE FUNCTION pg_temp.by_name(attributes jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT CASE
        WHEN EXISTS (
            SELECT FROM jsonb_array_elements(attributes) a, jsonb_each(a) m WHERE m.value = 'null'
        ) THEN attributes
        ELSE (
            SELECT jsonb_object_agg(name, (
                SELECT jsonb_agg(coalesce(a -> name, 'null') ORDER BY n)
                FROM jsonb_array_elements(attributes) WITH ORDINALITY e (a, n)
            ))
            FROM (SELECT DISTINCT jsonb_object_keys(a) AS name FROM jsonb_array_elements(attributes) a) names
        )
    END
$$;
CREATE FUNCTION pg_temp.by_member(surfaces jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT CASE WHEN count(*) = 0 THEN '{}' ELSE
        jsonb_build_object('type', jsonb_agg(s -> 'type' ORDER BY n))
        || CASE WHEN count(s ->> 'id') = 0 THEN '{}'
           ELSE jsonb_build_object('id', jsonb_agg(coalesce(s -> 'id', 'null') ORDER BY n)) END
        || CASE WHEN bool_and(coalesce(s -> 'attributes', '{}') = '{}') THEN '{}'
           ELSE jsonb_build_object(
               'attributes', pg_temp.by_name(jsonb_agg(coalesce(s -> 'attributes', '{}') ORDER BY n))
           ) END
    END
    FROM jsonb_array_elements(surfaces) WITH ORDINALITY e (s, n)
$$;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['object_geometry', 'object_geometry_history', 'object_repair'] LOOP
        EXECUTE format($update$
            UPDATE %I SET
                surfaces = pg_temp.by_member(surfaces),
                solid_start = CASE WHEN solid_start = ARRAY[0, cardinality(shell_start) - 1] THEN '{}'
                    ELSE solid_start END,
                shell_start = CASE WHEN shell_start = ARRAY[0, cardinality(face_semantic)] THEN '{}'
                    ELSE shell_start END,
                face_semantic = CASE
                    WHEN jsonb_array_length(surfaces) = 0 AND -1 = ALL (face_semantic) THEN '{}'
                    WHEN jsonb_array_length(surfaces) > 0 AND face_semantic = ARRAY(
                        SELECT generate_series(0, cardinality(face_semantic) - 1)
                    ) THEN '{}'
                    ELSE face_semantic END
            WHERE jsonb_typeof(surfaces) = 'array'
        $update$, name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['object_geometry', 'object_geometry_history'] LOOP
        EXECUTE format($update$
            UPDATE %I
            SET template = jsonb_set(
                template, '{geometry,semantics}', pg_temp.by_member(template #> '{geometry,semantics}')
            )
            WHERE jsonb_typeof(template #> '{geometry,semantics}') = 'array'
        $update$, name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['city_object', 'city_object_history'] LOOP
        EXECUTE format($update$
            UPDATE %I SET addresses = (
                SELECT jsonb_agg(CASE WHEN a ? 'location'
                    THEN jsonb_set(a, '{location,semantics}', '{}') ELSE a END ORDER BY n)
                FROM jsonb_array_elements(addresses) WITH ORDINALITY e (a, n)
            )
            WHERE jsonb_path_exists(addresses, '$[*].location')
        $update$, name);
    END LOOP;
END $$;

-- Faces that an object has twice, byte by byte.
UPDATE object_geometry g SET geom = NULL, same_as = r.ordinal
FROM (
    SELECT b.dataset_id, b.object_id, b.ordinal AS number, min(a.ordinal) AS ordinal
    FROM object_geometry a
    JOIN object_geometry b USING (dataset_id, object_id, lod)
    WHERE a.ordinal < b.ordinal AND GeometryType(a.geom) = 'POLYHEDRALSURFACE'
        AND a.geom::bytea = b.geom::bytea
    GROUP BY 1, 2, 3
) r
WHERE g.dataset_id = r.dataset_id AND g.object_id = r.object_id AND g.ordinal = r.number;
UPDATE object_geometry_history g SET geom = NULL, same_as = r.ordinal
FROM (
    SELECT b.dataset_id, b.object_id, b.recorded_to, b.ordinal AS number, min(a.ordinal) AS ordinal
    FROM object_geometry_history a
    JOIN object_geometry_history b USING (dataset_id, object_id, recorded_to, lod)
    WHERE a.ordinal < b.ordinal AND GeometryType(a.geom) = 'POLYHEDRALSURFACE'
        AND a.geom::bytea = b.geom::bytea
    GROUP BY 1, 2, 3, 4
) r
WHERE g.dataset_id = r.dataset_id AND g.object_id = r.object_id AND g.recorded_to = r.recorded_to
    AND g.ordinal = r.number;

ALTER TABLE object_geometry
    ADD CONSTRAINT ck_object_geometry_geom_or_same_as CHECK (num_nonnulls(geom, same_as) = 1);
ALTER TABLE object_geometry_history
    ADD CONSTRAINT ck_object_geometry_history_geom_or_same_as CHECK (num_nonnulls(geom, same_as) = 1);

COMMENT ON COLUMN object_geometry.same_as IS 'ordinal of the geometry whose faces these are';
COMMENT ON COLUMN object_geometry_history.same_as
    IS 'ordinal of the geometry whose faces these are';
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['object_geometry', 'object_geometry_history', 'object_repair'] LOOP
        EXECUTE format('COMMENT ON COLUMN %I.shell_start IS %L', name, 'into the faces; empty: one shell');
        EXECUTE format('COMMENT ON COLUMN %I.solid_start IS %L', name, 'into the shells; empty: one solid');
        EXECUTE format('COMMENT ON COLUMN %I.face_semantic IS %L', name,
            'into surfaces, or -1; may be empty');
        EXECUTE format('COMMENT ON COLUMN %I.surfaces IS %L', name,
            'semantic surfaces: lists of type, id, attributes');
    END LOOP;
END $$;
