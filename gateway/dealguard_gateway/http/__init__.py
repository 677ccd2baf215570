"""What holds for every request: headers, limits, logs."""
