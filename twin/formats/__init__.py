"""Writers of the formats that leave the twin; pure."""
