"""One reader per published data set; the registry lists them and tells them apart."""
