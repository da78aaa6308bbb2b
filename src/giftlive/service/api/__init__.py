"""JSON over HTTP: requests read strictly, one form of error, a description with examples."""
