"""Somebody else's segmentation: always the same ellipse. It knows the topic contract, not us."""

import cv2
import numpy as np
import rclpy
from cv_bridge import CvBridge
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import Image

from ar_interfaces.msg import SegmentedObject
from ar_interfaces.srv import Awaken


class PlainSegment(Node):
    def __init__(self):
        super().__init__("segment")
        self.bridge, self.picture = CvBridge(), None
        latched = QoSProfile(depth=8, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.masks = self.create_publisher(Image, "segment/mask", 5)
        self.objects = self.create_publisher(SegmentedObject, "segment/object", latched)
        self.create_subscription(Image, "camera/image_raw", self.on_image, qos_profile_sensor_data)
        self.create_service(Awaken, "segment/awaken", self.on_awaken)

    def on_image(self, message):
        self.header, self.picture = message.header, self.bridge.imgmsg_to_cv2(message, "bgr8")
        self.mask = np.zeros(self.picture.shape[:2], np.uint8)
        h, w = self.mask.shape
        cv2.ellipse(self.mask, (w // 2, h // 2), (w // 8, h // 5), 0, 0, 360, 255, -1)
        self.masks.publish(self.bridge.cv2_to_imgmsg(self.mask, "mono8", self.header))

    def on_awaken(self, request, response):
        x, y, w, h = cv2.boundingRect(self.mask)
        rgba = np.dstack([self.picture[..., ::-1], self.mask])[y : y + h, x : x + w]
        found = SegmentedObject(header=self.header, id="plain-1", kind="object", score=1.0)
        found.image_height, found.image_width = self.mask.shape
        found.roi.x_offset, found.roi.y_offset, found.roi.width, found.roi.height = x, y, w, h
        found.cutout = self.bridge.cv2_to_imgmsg(np.ascontiguousarray(rgba), "rgba8", self.header)
        self.objects.publish(found)
        response.success, response.id = True, found.id
        return response


def main():
    rclpy.init()
    rclpy.spin(PlainSegment())
