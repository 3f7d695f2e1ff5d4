"""Plane SLAM: where the camera is, the plane things stand on, and a sparse map, from a single moving camera."""

import os

# Many small matrices: BLAS threads make bundle adjustment ten times slower, and round sums in another order. Whatever the
# environment says; heeded where numpy is not imported yet.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
