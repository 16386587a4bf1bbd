"""FinEst twin core: the vocabulary, the database and the measuring of 3D city models."""
