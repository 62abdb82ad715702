"""The page on a port of this machine."""

from __future__ import annotations

import os
import signal
import tempfile
import threading

from gddim_tf.checks import whole
from gddim_tf.extras import missing
from gddim_tf.models import GenerativeModel

# Gradio and what it is built on call home unless they are told not to, some when imported.
_SILENT = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}
# Nobody uploads more than a layer of paint.
_LARGEST_FILE = "2mb"
_SECONDS_KEPT = 3600


def show(model: GenerativeModel, title: str, host: str, port: int) -> None:
    """Serve the page, and say where, until SIGINT or SIGTERM.

    Args:
      model: to draw with.
      title: of the page.
      host: to listen at; anyone who can reach it can draw.
      port: of the host; 0 for a free one.

    Raises:
      ImportError: without the extra `app`.
      OSError: if the port is taken, or the host is none of this machine.
    """
    whole("port", port, 0, 65535)
    with tempfile.TemporaryDirectory(prefix="gddim-tf-app-") as pictures:
        os.environ.update(_SILENT, GRADIO_TEMP_DIR=pictures)
        try:
            import gradio as gr

            from gddim_tf.app.page import CSS, page
        except ImportError as error:
            raise missing("app", "The page", error) from error
        from gddim_tf.app.studio import Studio

        blocks = page(Studio(model), title)
        blocks.delete_cache = (_SECONDS_KEPT, _SECONDS_KEPT)
        blocks.launch(
            server_name=host,
            server_port=port or None,
            share=False,
            quiet=True,
            prevent_thread_lock=True,
            ssr_mode=False,
            pwa=False,
            mcp_server=False,
            enable_monitoring=False,
            max_file_size=_LARGEST_FILE,
            footer_links=[],
            run_history=False,
            theme=gr.themes.Soft(),
            css=CSS,
        )
        try:
            print(f"the page is at {blocks.local_url}; Ctrl-C ends it", flush=True)
            _until_signal()
            print("ended")
        finally:
            blocks.close(verbose=False)


def _until_signal() -> None:
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
