from setuptools import find_packages, setup

setup(
    name="ar_tools",
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    package_data={"ar_tools": ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/ar_tools"]),
        ("share/ar_tools", ["package.xml"]),
    ],
    install_requires=["setuptools"],
    zip_safe=False,
    description="The tsukumo command.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "tsukumo = ar_tools.__main__:main",
            "director = ar_tools.director:main",
            "together = ar_tools.together:main",
            "onlooker = ar_tools.onlooker:main",
            "record_service = ar_tools.record_service:main",
        ]
    },
)
