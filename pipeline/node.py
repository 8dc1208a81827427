"""What the container of a node runs on a cluster: TFX's entrypoint, begun and ended faster.

    python -m pipeline.node --executor_class_path PATH --json_serialized_invocation_args JSON ...

Every node is a process of its own, which loads TFX whatever it does. TFX's own way of it takes
half as long again, see docs/performance.md.
"""

from __future__ import annotations

import gc
import os
import sys
import traceback
from typing import NoReturn

from pipeline.ending import end


def main() -> NoReturn:
    """Runs the executor that the arguments name, and ends the process."""
    gc.disable()  # nothing that is loaded is garbage, and looking for it takes a fifth
    # Keeps kfp from importing its clients, and with them Kubernetes' and Google's.
    os.environ["_KFP_RUNTIME"] = "true"
    from absl import app
    from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_run_executor as entrypoint

    gc.freeze()
    gc.enable()
    try:
        app.run(entrypoint.main, flags_parser=entrypoint._parse_flags)
    except SystemExit as ending:  # how absl ends
        end(_status(ending))
    except BaseException:
        traceback.print_exc()
        end(1)
    end(0)


def _status(ending: SystemExit) -> int:
    if ending.code is None or isinstance(ending.code, int):
        return ending.code or 0
    print(ending.code, file=sys.stderr)
    return 1


if __name__ == "__main__":
    main()
