from setuptools import find_packages, setup

setup(
    name="ar_core",
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    package_data={"ar_core": ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/ar_core"]),
        ("share/ar_core", ["package.xml"]),
    ],
    install_requires=["setuptools"],
    zip_safe=False,
    description="What all stages of Tsukumo share.",
    license="Apache-2.0",
    entry_points={"console_scripts": []},
)
