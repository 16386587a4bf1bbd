CREATE TABLE processing_job (
	dataset_id SMALLINT NOT NULL, 
	stage TEXT COLLATE "C" NOT NULL, 
	level SMALLINT NOT NULL, 
	cell BIGINT NOT NULL, 
	algorithm TEXT NOT NULL, 
	state TEXT NOT NULL, 
	input_hash BYTEA, 
	features INTEGER, 
	computed INTEGER, 
	started_at TIMESTAMP WITH TIME ZONE, 
	finished_at TIMESTAMP WITH TIME ZONE, 
	error TEXT, 
	CONSTRAINT pk_processing_job PRIMARY KEY (dataset_id, stage, level, cell), 
	CONSTRAINT fk_processing_job_dataset_id FOREIGN KEY(dataset_id) REFERENCES dataset (id) ON DELETE CASCADE
);

COMMENT ON COLUMN processing_job.stage IS 'import, roof_faces, neighbours or validity';
COMMENT ON COLUMN processing_job.level IS 'of the cell; -1: features without a place';
COMMENT ON COLUMN processing_job.cell IS 'Morton code of the cell at its level';
COMMENT ON COLUMN processing_job.algorithm IS 'stage and version';
COMMENT ON COLUMN processing_job.state IS 'pending, running, done or failed';
COMMENT ON COLUMN processing_job.input_hash IS 'of all that the values were computed from';
COMMENT ON COLUMN processing_job.features IS 'features of the partition';
COMMENT ON COLUMN processing_job.computed IS 'of them those that were out of date';

CREATE TABLE object_roof (
	dataset_id SMALLINT NOT NULL, 
	object_id TEXT COLLATE "C" NOT NULL, 
	roof_faces INTEGER NOT NULL, 
	algorithm TEXT NOT NULL, 
	input_hash BYTEA NOT NULL, 
	CONSTRAINT pk_object_roof PRIMARY KEY (dataset_id, object_id)
);

COMMENT ON COLUMN object_roof.roof_faces IS 'rows of roof_face';

CREATE TABLE roof_face (
	id TEXT COLLATE "C" NOT NULL, 
	dataset_id SMALLINT NOT NULL, 
	dataset TEXT COLLATE "C" NOT NULL, 
	object_id TEXT COLLATE "C" NOT NULL, 
	building TEXT COLLATE "C" NOT NULL, 
	city TEXT COLLATE "C" NOT NULL, 
	synthetic BOOLEAN NOT NULL, 
	face INTEGER NOT NULL, 
	slope_deg DOUBLE PRECISION, 
	azimuth_deg DOUBLE PRECISION, 
	area_m2 DOUBLE PRECISION, 
	plan_area_m2 DOUBLE PRECISION, 
	height_min_m DOUBLE PRECISION, 
	height_max_m DOUBLE PRECISION, 
	attributes JSONB, 
	footprint geometry(MULTIPOLYGON,4326), 
	footprint_3857 geometry(MULTIPOLYGON,3857), 
	quadkey BIGINT, 
	row_hash BYTEA NOT NULL, 
	geojson TEXT NOT NULL, 
	CONSTRAINT pk_roof_face PRIMARY KEY (id)
);

CREATE INDEX ix_roof_face_dataset_id_object_id ON roof_face (dataset_id, object_id);
CREATE INDEX ix_roof_face_footprint ON roof_face USING gist (footprint);
CREATE INDEX ix_roof_face_quadkey ON roof_face (quadkey);
COMMENT ON COLUMN roof_face.id IS '{dataset}.{object_id}.{face}';
COMMENT ON COLUMN roof_face.object_id IS 'of the building';
COMMENT ON COLUMN roof_face.building IS 'id of the building as a feature';
COMMENT ON COLUMN roof_face.face IS 'ordinal of the face in the measured geometry';
COMMENT ON COLUMN roof_face.azimuth_deg IS 'null on level faces';
COMMENT ON COLUMN roof_face.area_m2 IS 'in its own plane';
COMMENT ON COLUMN roof_face.plan_area_m2 IS 'seen from above';
COMMENT ON COLUMN roof_face.height_min_m IS 'in the national height system';
COMMENT ON COLUMN roof_face.attributes IS 'of the semantic surface';
COMMENT ON COLUMN roof_face.quadkey IS 'of the centroid of the face';


ALTER TABLE object_validity ALTER COLUMN valid DROP NOT NULL;
COMMENT ON COLUMN object_validity.valid IS 'null: not all checks were made';
ALTER TABLE object_validity ADD COLUMN unchecked INTEGER[] NOT NULL DEFAULT '{}';
ALTER TABLE object_validity ALTER COLUMN unchecked DROP DEFAULT;
COMMENT ON COLUMN object_validity.unchecked IS 'codes not looked for, for size';
