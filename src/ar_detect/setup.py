from setuptools import find_packages, setup

setup(
    name="ar_detect",
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    package_data={"ar_detect": ["py.typed", "models/*"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/ar_detect"]),
        ("share/ar_detect", ["package.xml"]),
    ],
    install_requires=["setuptools"],
    zip_safe=False,
    description="Class-agnostic objects in every frame: boxes with ids that stay, the most awakenable first.",
    license="Apache-2.0",
    entry_points={"console_scripts": ["node = ar_detect.node:main"]},
)
