DROP INDEX ix_feature_current_use;
CREATE INDEX ix_feature_current_use_id ON feature (current_use, id);
