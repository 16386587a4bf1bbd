"""The vocabulary of CityJSON as frozen dataclasses and flat arrays; no input or output."""
