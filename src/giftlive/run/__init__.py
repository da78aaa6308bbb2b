"""The pipeline: steps, their cache by content hash, the manifest and the run folder."""
