"""Judges images and instances by the manifest's rules; pure, over what the graph holds."""
