CREATE TABLE template_mesh (
    dataset_id smallint NOT NULL,
    template_id bytea NOT NULL,
    mesh bytea NOT NULL,
    faces bytea NOT NULL,
    CONSTRAINT pk_template_mesh PRIMARY KEY (dataset_id, template_id),
    CONSTRAINT fk_template_mesh_dataset_id_dataset FOREIGN KEY (dataset_id) REFERENCES dataset (id) ON DELETE CASCADE
);
COMMENT ON COLUMN template_mesh.template_id IS 'hash of mesh and faces';
COMMENT ON COLUMN template_mesh.mesh IS 'as of an object, in the axes of the template';
COMMENT ON COLUMN template_mesh.faces IS 'as twin.processing.face_measures';

ALTER TABLE object_mesh ADD COLUMN templates bytea;
ALTER TABLE object_mesh ADD COLUMN instances bytea;
COMMENT ON COLUMN object_mesh.mesh_hash IS 'of mesh, faces, templates and instances';
COMMENT ON COLUMN object_mesh.templates IS 'ids of template meshes shown beside the mesh, 16 bytes each';
COMMENT ON COLUMN object_mesh.instances IS 'where they are, as twin.processing.instance_format';
