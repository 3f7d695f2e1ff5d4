"""What the source finds to be not as it should be is said by the node, each once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from rosbags.rosbag1 import Writer
from rosbags.typesys import Stores, get_typestore

pytest.importorskip("rclpy", reason="graph test: no ROS here")
PATIENCE_S = 60.0


@pytest.mark.graph
def test_a_ros1_bag_without_calibration_and_with_a_jump_is_shown_and_told_of_once(tmp_path: Path) -> None:
    store, path = get_typestore(Stores.ROS1_NOETIC), tmp_path / "robot.bag"
    kind = "sensor_msgs/msg/CompressedImage"
    data = cv2.imencode(".jpg", np.full((48, 64, 3), 90, np.uint8))[1].ravel()
    with Writer(path) as writer:
        connection = writer.add_connection("/usb_cam/image_raw/compressed", kind, typestore=store)
        for i in range(6):
            sec = i // 3 * 500 + 1000
            stamp = store.types["builtin_interfaces/msg/Time"](sec, i * 20_000_000)
            message = store.types[kind](store.types["std_msgs/msg/Header"](i, stamp, "camera"), "jpeg", data)
            writer.write(connection, 10**12 + i, store.serialize_ros1(message, kind))
    line = [sys.executable, "-c", "from ar_camera.node import main; main()", "--ros-args", "-r", "__node:=camera",
            "-p", f"source:={path}", "-p", "loop:=false"]  # fmt: skip
    environment = {**os.environ, "ROS_DOMAIN_ID": str(1 + os.getpid() % 100)}
    process = subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(process.stdout or ()))
    reader.start()
    end = time.monotonic() + PATIENCE_S
    while not any("end of robot.bag after 6 pictures" in text for text in lines):
        assert time.monotonic() < end, lines
        time.sleep(0.02)
    process.terminate()
    process.wait()
    reader.join()
    warnings = [text for text in lines if "WARN" in text]
    assert sum("not calibrated (there is no /usb_cam/camera_info)" in text for text in warnings) == 1
    assert sum("the clock jumps forward by 500.0 s" in text for text in warnings) == 1
    assert len(warnings) == 2
