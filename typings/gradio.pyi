# Gradio is not installed with the tests; what it takes is not checked.
from typing import Any

def __getattr__(name: str) -> Any: ...
