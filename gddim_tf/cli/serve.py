"""Serve an exported model over REST on this machine, to try it out.

The paths and the JSON are TF Serving's, so clients of one work with the other. There is no
batching, no TLS and no token: for other people's requests, use TF Serving.

For example:
  gddim-tf serve --model saved_models/digits_vp
  gddim-tf client --address localhost:8501 --protocol rest --model digits_vp --labels 3
"""

from __future__ import annotations

import argparse

_MEGABYTE = 2**20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `serve`."""
    parser.add_argument("--model", required=True, help="exported model, or one of its versions")
    parser.add_argument("--name", help="of the model in the paths; that of its folder by default")
    parser.add_argument(
        "--host", default="127.0.0.1", help="to listen at; 0.0.0.0 lets other machines in"
    )
    parser.add_argument("--port", type=int, default=8501, help="to listen at; 0 for a free one")
    parser.add_argument("--largest-body", type=int, default=16, help="of a request, in megabytes")


def run(options: argparse.Namespace) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    import signal

    from gddim_tf.extras import missing
    from gddim_tf.models.served_model import ServedModel
    from gddim_tf.serving.local_model import LocalModel

    try:
        from gddim_tf.serving.local_server import LocalServer
    except ImportError as error:
        raise missing("serve", "A local server", error) from error
    server = LocalServer(
        LocalModel(ServedModel(options.model)),
        options.name,
        options.host,
        options.port,
        options.largest_body * _MEGABYTE,
    )
    # both signals end the server, which raises them again when it has answered its last call
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    version = server.model.version
    print(f"{server.name} version {version} is at http://{server.address}/v1/models/{server.name}")
    print("for trying out; Ctrl-C ends it", flush=True)
    try:
        server.run()
    except KeyboardInterrupt:
        print("ended")
