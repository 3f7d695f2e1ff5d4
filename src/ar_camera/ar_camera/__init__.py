"""Frames from a camera, a video, a folder of images, a bag, a ROS topic or the embedded scene, with calibration."""
