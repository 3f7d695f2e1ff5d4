from setuptools import find_packages, setup

setup(
    name="ar_camera",
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    package_data={"ar_camera": ["py.typed", "data/*", "data/*/*"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/ar_camera"]),
        ("share/ar_camera", ["package.xml"]),
    ],
    install_requires=["setuptools"],
    zip_safe=False,
    description="Frames from a camera, a video, a folder, a bag or the embedded scene.",
    license="Apache-2.0",
    entry_points={"console_scripts": ["node = ar_camera.node:main"]},
)
