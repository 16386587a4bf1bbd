ALTER TABLE dataset ADD COLUMN document jsonb NOT NULL DEFAULT '{}'::jsonb;
COMMENT ON COLUMN dataset.document IS 'members of the source''s CityJSON header';

ALTER TABLE city_object ADD COLUMN extra jsonb;
COMMENT ON COLUMN city_object.extra IS 'further members of the object in CityJSON';
ALTER TABLE city_object_history ADD COLUMN extra jsonb;
COMMENT ON COLUMN city_object_history.extra IS 'further members of the object in CityJSON';

COMMENT ON COLUMN object_geometry.geom IS 'PolyhedralSurface Z, MultiPoint Z or MultiLineString Z in native coordinates';
COMMENT ON COLUMN object_geometry.appearance IS 'materials and textures by theme';
COMMENT ON COLUMN object_geometry.template IS 'of a GeometryInstance: matrix and geometry';
COMMENT ON COLUMN object_geometry_history.geom IS 'PolyhedralSurface Z, MultiPoint Z or MultiLineString Z in native coordinates';
COMMENT ON COLUMN object_geometry_history.appearance IS 'materials and textures by theme';
COMMENT ON COLUMN object_geometry_history.template IS 'of a GeometryInstance: matrix and geometry';
