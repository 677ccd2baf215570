"""The endpoints, one file a topic. Each fetches, asks for leave, acts; the words of errors are in `problems.py`."""
