"""From a file to the database: readers, sources and the ingest that joins them."""
