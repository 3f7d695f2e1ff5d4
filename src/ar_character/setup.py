from setuptools import find_packages, setup

setup(
    name="ar_character",
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    package_data={"ar_character": ["py.typed", "themes/*/*"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/ar_character"]),
        ("share/ar_character", ["package.xml"]),
    ],
    install_requires=["setuptools"],
    zip_safe=False,
    description="From the cut-out of an object to a living character: an animated glTF.",
    license="Apache-2.0",
    entry_points={"console_scripts": ["node = ar_character.node:main"]},
)
