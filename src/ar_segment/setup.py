from setuptools import find_packages, setup

setup(
    name="ar_segment",
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    package_data={"ar_segment": ["py.typed", "models/*"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/ar_segment"]),
        ("share/ar_segment", ["package.xml"]),
    ],
    install_requires=["setuptools"],
    zip_safe=False,
    description="The object under a tap or in a box: soft mask, cut-out, then the mask in every frame.",
    license="Apache-2.0",
    entry_points={"console_scripts": ["node = ar_segment.node:main"]},
)
