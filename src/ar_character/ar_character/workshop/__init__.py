"""Where the props of our themes are made: `python -m ar_character.workshop` writes their meshes."""
