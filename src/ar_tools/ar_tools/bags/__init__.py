"""Bags: written, read, repaired and compared without ROS. ``ar_tools.record`` is the node that fills them."""
