"""A hand-made compiled job of two nodes, for tests that compile nothing."""

from __future__ import annotations

import json
from typing import Any

IMAGE = "registry.example.com/posters:1.0"
SCHEMA = "title: tfx.Examples\ntype: object\n"


def job(root: str = "gs://bucket/posters/artifacts") -> dict[str, Any]:
    """First makes examples, Second reads them and has one parameter."""
    artifact = {"artifactType": {"instanceSchema": SCHEMA}}
    container = {"image": IMAGE, "command": ["python"], "args": ["-V"]}
    spec = {
        "pipelineInfo": {"name": "two"},
        "schemaVersion": "2.1.0",
        "sdkVersion": "tfx-1.16.0",
        "defaultPipelineRoot": root,
        "components": {
            "First": {
                "executorLabel": "First_executor",
                "outputDefinitions": {"artifacts": {"examples": artifact}},
            },
            "Second": {
                "executorLabel": "Second_executor",
                "inputDefinitions": {
                    "artifacts": {"examples": artifact},
                    "parameters": {"span": {"parameterType": "NUMBER_INTEGER"}},
                },
            },
        },
        "deploymentSpec": {
            "executors": {
                "First_executor": {"container": container},
                "Second_executor": {"container": container},
            }
        },
        "root": {
            "dag": {
                "tasks": {
                    "First": {"taskInfo": {"name": "First"}, "componentRef": {"name": "First"}},
                    "Second": {
                        "taskInfo": {"name": "Second"},
                        "componentRef": {"name": "Second"},
                        "dependentTasks": ["First"],
                        "inputs": {
                            "artifacts": {
                                "examples": {
                                    "taskOutputArtifact": {
                                        "producerTask": "First",
                                        "outputArtifactKey": "examples",
                                    }
                                }
                            },
                            "parameters": {"span": {"runtimeValue": {"constant": 1.0}}},
                        },
                    },
                }
            }
        },
    }
    whole = {
        "displayName": "two-span-1",
        "labels": {"window": "span-1"},
        "pipelineSpec": spec,
        "runtimeConfig": {"gcsOutputDirectory": root},
    }
    return json.loads(json.dumps(whole))  # so that no two parts are one object
