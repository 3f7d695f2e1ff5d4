"""Draws the character into the camera's picture."""
