"""Measures the operator beside three others, on a real API server: see README.md in this folder.

Here lives what creates load, watches and counts; nothing here looks into the operator: it runs as the process that an
installation runs, and is measured from outside.
"""
