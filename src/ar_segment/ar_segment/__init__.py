"""The object under a tap or in a box: its soft mask, its cut-out, and then its mask in every frame."""
