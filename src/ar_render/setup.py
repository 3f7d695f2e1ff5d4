from setuptools import find_packages, setup

setup(
    name="ar_render",
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    package_data={"ar_render": ["py.typed", "shaders/*"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/ar_render"]),
        ("share/ar_render", ["package.xml"]),
    ],
    install_requires=["setuptools"],
    zip_safe=False,
    description="Draws characters into the camera picture.",
    license="Apache-2.0",
    entry_points={"console_scripts": ["node = ar_render.node:main"]},
)
