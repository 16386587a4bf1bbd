ALTER TABLE building_part DROP COLUMN footprint_3857;
ALTER TABLE building_part_history DROP COLUMN footprint_3857;
