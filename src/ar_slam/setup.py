from setuptools import find_packages, setup

setup(
    name="ar_slam",
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    package_data={"ar_slam": ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/ar_slam"]),
        ("share/ar_slam", ["package.xml"]),
    ],
    install_requires=["setuptools"],
    zip_safe=False,
    description="Plane SLAM: pose, plane, sparse map and relocalisation from one moving camera.",
    license="Apache-2.0",
    entry_points={"console_scripts": ["node = ar_slam.node:main"]},
)
