"""German standard terms."""
GROUPS = ("b", "t")
