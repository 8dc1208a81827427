"""Packaging: the `posters` command and the package that Beam workers install (`--setup_file`).

Why the stack is an extra: TFX 1.16 pins a tensorflow-hub that cannot be imported with the
TensorFlow that it also pins, so no installer can resolve the whole set rightly by itself. The stack
comes from the lock (`scripts/setup`, or `pip install --no-deps -r requirements/lock.txt`); this
package declares only what it needs on top of an image that carries the stack, so that a Beam worker
never resolves TensorFlow again.

`posters doctor` compares an environment with the `stack` extra: the pins below are their one source
and `scripts/lock` derives requirements/lock.txt from them.
"""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).resolve().parent
README = ROOT / "README.md"
VERSION = re.search(
    r'^__version__ = "([^"]+)"$', (ROOT / "components/__init__.py").read_text("utf-8"), re.MULTILINE
)[1]

LIGHT = [
    "imagehash>=4.3.1,<5",  # perceptual hashes, which ingest finds the same image under two ids by
    "jinja2>=3.1",  # escapes what it fills into HTML pages
    "matplotlib>=3.9,<4",  # draws the charts of a run's page, as SVG that needs no script
    "numpy>=1.26,<2",  # arrays of scores and pixels; TensorFlow 2.16 is built against 1.x
    "packaging>=22",  # `posters doctor` reads version specifiers
    "pillow>=10",  # checks posters at ingest, draws the sample's
    "psutil>=5.9",  # peak memory of every node, in the run's summary
    "pydantic>=2",  # checks the configuration on load
    "pyyaml>=6",  # reads the configuration
    "requests>=2.31",  # downloads the images that a table gives by URL, tells webhooks of runs
    "rich>=13",  # tables and progress bars in the terminal
]

STACK = [
    "apache-beam[gcp]==2.59.0",  # newer ones dropped dill, without which tfx_bsl does not import
    "dill==0.3.1.1",  # what Beam 2.59 pickles with; other versions cannot read its pickles
    "ml-metadata==1.16.0",  # the store of runs and artifacts; reads only its own schema version
    "numpy==1.26.4",  # the last before 2.0, which TensorFlow 2.16 cannot load
    "protobuf==3.20.3",  # kfp 2.5.0 wants <4
    "pyarrow==10.0.1",  # tfx_bsl is compiled against it
    "scikit-learn==1.5.1",  # TFX's pin; calibration and reference metrics
    "setuptools>=70,<81",  # tensorflow_hub imports pkg_resources, which later ones dropped
    "tensorflow==2.16.2",  # the newest that TFX 1.16 takes
    "tensorflow-hub==0.16.1",  # 0.15, TFX's pin, imports the estimator removed from TensorFlow 2.16
    "tensorflow-model-analysis==0.47.0",  # the Evaluator
    "tensorflow-transform==1.16.0",  # Transform
    "tf_keras==2.16.0",  # Keras 2, which tensorflow_hub's layer is made of
    "tfx==1.16.0",  # the components and the local runner; the last for Python 3.10
]

EXTRAS = {
    "stack": STACK,
    "dev": [
        "gcp-storage-emulator>=2024.8.3",  # a store on this machine, to test with
        "hypothesis>=6",  # tests over generated inputs
        "playwright>=1.48",  # drives the system's Chromium, in which a run's page is tested
        "pytest>=8",  # the test runner
        "pytest-timeout>=2",  # a hung Beam worker fails its test, not the whole run
        "pytest-xdist>=3",  # tests on every core: half the wait
        "ruff>=0.6",  # lint and format
        "schemathesis>=3.39",  # asks the server whatever its OpenAPI description allows
    ],
    "cuda": [
        "tensorflow[and-cuda]==2.16.2",  # CUDA 12.3 and cuDNN 8.9, which it is built against
    ],
    "kubeflow": [
        "kfp==2.5.0",  # what TFX 1.16 compiles for; later ones changed the spec's classes
    ],
    "vertex": [
        "google-cloud-aiplatform>=1.60,<2",  # submits pipelines and custom jobs
    ],
    "metadata": [
        "pg8000>=1.30",  # says why PostgreSQL refuses, and locks there, which ML Metadata cannot
        "pymysql>=1.1",  # the same for MySQL and MariaDB
    ],
    "schedule": [
        "apscheduler>=3.11,<4",  # wakes posters schedule run in time; 4 is another interface
        "cronsim>=2.6",  # reads cron, and finds the next times as Debian's cron does, DST too
        "tzdata>=2024.1",  # time zones where the system has none, as in slim images
        "tzlocal>=5",  # which of them this machine's is, for lines of crontab
    ],
    "serve": [
        "anyio>=4",  # waits for a request's body no longer than it may take, as Starlette does
        "fastapi>=0.110",  # request checking and the API's own documentation
        "prometheus-client>=0.20",  # metrics of the server
        "uvicorn>=0.29",  # the ASGI server
    ],
}

setup(
    name="poster-pipeline",
    version=VERSION,
    description="A TFX pipeline that trains, evaluates and serves multi-label image classifiers",
    long_description=README.read_text("utf-8") if README.exists() else "",
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    classifiers=[
        "Environment :: Console",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3.10",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
    python_requires=">=3.10,<3.11",
    packages=find_packages(
        include=[
            f"{name}{rest}"
            for name in ("components", "configs", "pipeline", "schema")
            for rest in ("", ".*")
        ]
    ),
    package_data={
        "components.dataset": ["*.html"],
        "components.report": ["templates/*"],
        "components.sample": ["extractor/**/*"],
        "components.serving": ["page/*"],
        "configs": ["*.yaml"],
        "pipeline.history": ["*.html"],
        "schema": ["*.pbtxt", "*.md"],
    },
    install_requires=LIGHT,
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["posters = pipeline.cli.main:command"]},
)
