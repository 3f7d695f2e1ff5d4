from setuptools import setup

setup(
    name="ar_web",
    version="0.1.0",
    packages=["ar_web"],
    package_data={"ar_web": ["py.typed", "page/*"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/ar_web"]),
        ("share/ar_web", ["package.xml"]),
    ],
    install_requires=["setuptools"],
    zip_safe=False,
    maintainer="Tsukumo developers",
    maintainer_email="tsukumo@users.noreply.github.com",
    description="The browser page of Tsukumo: live picture, tap to awaken, stage timings, download.",
    license="Apache-2.0",
    entry_points={"console_scripts": ["node = ar_web.node:main"]},
)
