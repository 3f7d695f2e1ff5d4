"""Plane SLAM: where the camera is, the plane things stand on, and a sparse map, from a single moving camera."""

import os

# Many small matrices: BLAS threads make bundle adjustment ten times slower. Heeded where numpy is not imported yet.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
