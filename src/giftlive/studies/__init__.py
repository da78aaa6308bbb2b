"""One question per file, with a design that can answer it."""
