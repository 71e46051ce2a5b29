"""The manifest and the settings: read from files, checked, and turned into strict values."""
