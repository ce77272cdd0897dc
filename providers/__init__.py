"""One vendor a file, and the only place that imports a vendor's SDK."""
