"""A pure-numpy stand-in for ROS 2's ``cv_bridge``: the same Python API and errors, without its compiled part."""

from cv_bridge.core import CvBridge, CvBridgeError

__all__ = ["CvBridge", "CvBridgeError"]
