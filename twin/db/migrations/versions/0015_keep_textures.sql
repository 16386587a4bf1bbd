CREATE TABLE object_skin (
    dataset_id smallint NOT NULL,
    object_id text COLLATE "C" NOT NULL,
    lod text COLLATE "C" NOT NULL,
    ordinal smallint NOT NULL,
    theme text COLLATE "C",
    skin bytea NOT NULL,
    CONSTRAINT pk_object_skin PRIMARY KEY (dataset_id, object_id, lod, ordinal)
);
COMMENT ON COLUMN object_skin.ordinal IS '0 is shown where no theme is asked for';
COMMENT ON COLUMN object_skin.theme IS 'null: put together of two themes';
COMMENT ON COLUMN object_skin.skin IS 'as twin.processing.skins encodes it';

CREATE TABLE texture_image (
    hash bytea NOT NULL,
    dataset_id smallint NOT NULL,
    image bytea NOT NULL,
    CONSTRAINT pk_texture_image PRIMARY KEY (hash, dataset_id)
);
-- JPEG and PNG are compressed already.
ALTER TABLE texture_image ALTER COLUMN image SET STORAGE EXTERNAL;
COMMENT ON COLUMN texture_image.hash IS 'BLAKE2b-128 of the image';
COMMENT ON COLUMN texture_image.image IS 'JPEG or PNG, as it came';
