"""The only place that knows SQL: schema, engines, loading, reading."""
