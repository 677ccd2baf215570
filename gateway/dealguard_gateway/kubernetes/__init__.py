"""The API server: requests with somebody's credentials, and the watch that all clients share."""
