-- No mark that something changed: what is served stays the same.
ALTER TABLE feature DISABLE TRIGGER USER;
UPDATE feature SET footprint_3857 = ST_ForcePolygonCW(footprint_3857) WHERE NOT ST_IsPolygonCW(footprint_3857);
ALTER TABLE feature ENABLE TRIGGER USER;

ALTER TABLE feature ADD COLUMN grid_zooms integer GENERATED ALWAYS AS (
    CASE WHEN ST_IsPolygonCW(footprint_3857)
        THEN (COALESCE(ST_IsValidReason(ST_SnapToGrid(footprint_3857, -20037508.342789244, -20037508.342789244, 2.388657133911758, 2.388657133911758)) = 'Valid Geometry', false)::int << 12)
        | (COALESCE(ST_IsValidReason(ST_SnapToGrid(footprint_3857, -20037508.342789244, -20037508.342789244, 1.194328566955879, 1.194328566955879)) = 'Valid Geometry', false)::int << 13)
        | (COALESCE(ST_IsValidReason(ST_SnapToGrid(footprint_3857, -20037508.342789244, -20037508.342789244, 0.5971642834779395, 0.5971642834779395)) = 'Valid Geometry', false)::int << 14)
        | (COALESCE(ST_IsValidReason(ST_SnapToGrid(footprint_3857, -20037508.342789244, -20037508.342789244, 0.29858214173896974, 0.29858214173896974)) = 'Valid Geometry', false)::int << 15)
        | (COALESCE(ST_IsValidReason(ST_SnapToGrid(footprint_3857, -20037508.342789244, -20037508.342789244, 0.14929107086948487, 0.14929107086948487)) = 'Valid Geometry', false)::int << 16)
        ELSE 0 END
) STORED;
COMMENT ON COLUMN feature.grid_zooms IS 'bits: zooms whose grid keeps the outline valid';
ALTER TABLE feature_history ADD COLUMN grid_zooms integer GENERATED ALWAYS AS (
    CASE WHEN ST_IsPolygonCW(footprint_3857)
        THEN (COALESCE(ST_IsValidReason(ST_SnapToGrid(footprint_3857, -20037508.342789244, -20037508.342789244, 2.388657133911758, 2.388657133911758)) = 'Valid Geometry', false)::int << 12)
        | (COALESCE(ST_IsValidReason(ST_SnapToGrid(footprint_3857, -20037508.342789244, -20037508.342789244, 1.194328566955879, 1.194328566955879)) = 'Valid Geometry', false)::int << 13)
        | (COALESCE(ST_IsValidReason(ST_SnapToGrid(footprint_3857, -20037508.342789244, -20037508.342789244, 0.5971642834779395, 0.5971642834779395)) = 'Valid Geometry', false)::int << 14)
        | (COALESCE(ST_IsValidReason(ST_SnapToGrid(footprint_3857, -20037508.342789244, -20037508.342789244, 0.29858214173896974, 0.29858214173896974)) = 'Valid Geometry', false)::int << 15)
        | (COALESCE(ST_IsValidReason(ST_SnapToGrid(footprint_3857, -20037508.342789244, -20037508.342789244, 0.14929107086948487, 0.14929107086948487)) = 'Valid Geometry', false)::int << 16)
        ELSE 0 END
) STORED;
COMMENT ON COLUMN feature_history.grid_zooms IS 'bits: zooms whose grid keeps the outline valid';
