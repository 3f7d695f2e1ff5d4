"""``tsukumo replay``: a bag takes the part of the camera, and of any stage, of a graph that runs."""
