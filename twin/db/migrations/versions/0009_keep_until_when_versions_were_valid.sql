ALTER TABLE city_object_history ADD COLUMN valid_until timestamptz;
COMMENT ON COLUMN city_object_history.valid_until IS
    'in the world, as the version that superseded it tells; null: it was corrected';
