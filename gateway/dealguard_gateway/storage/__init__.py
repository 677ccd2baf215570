"""Documents and reports in the object storage."""
