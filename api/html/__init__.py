"""Pages for people: what the API answers as JSON, as HTML in four languages, without scripts."""
