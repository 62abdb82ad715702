"""Tell what is installed and what is missing, and how to get it.

For example:
  gddim-tf doctor
  gddim-tf doctor --json
"""

from __future__ import annotations

import argparse
import os
import platform
from importlib import metadata

from packaging.requirements import Requirement

from gddim_tf.cli.results import add_json_argument, tell

_PACKAGE = "gddim_tf"
# Extras that only repeat others, or are for those who work on the package.
_GATHERED = ("all", "test", "docs")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `doctor`."""
    add_json_argument(parser)


def run(options: argparse.Namespace) -> None:
    """Look and tell."""
    report = examine()
    tell(options, report, _text(report))


def _text(report: dict) -> str:
    """What `examine` found, a line each."""
    lines = [f"{_PACKAGE} {report['version']}, Python {report['python']}, {report['platform']}"]
    for name, found in report["packages"].items():
        wrong = "" if found["fits"] else f"  <- {found['wanted'] or 'installed'} is needed"
        lines.append(f"  {name} {found['version'] or 'is missing'}{wrong}")
    lines += [f"  device {device}" for device in report["devices"]]
    lines.append(f"  {report['cores']} cores, {report['memory_gb']:.1f} GB of memory")
    for extra, lacking in report["extras"].items():
        way = f'pip install "{_PACKAGE}[{extra}]" ({", ".join(lacking)})'
        lines.append(f"  extra {extra}: {way if lacking else 'installed'}")
    return "\n".join(lines)


def examine() -> dict:
    """Versions, devices and extras, as numbers and texts that JSON can hold."""
    import tensorflow as tf

    requirements = [Requirement(line) for line in metadata.requires(_PACKAGE) or ()]
    needed = [each for each in requirements if each.marker is None or each.marker.evaluate()]
    extras = metadata.metadata(_PACKAGE).get_all("Provides-Extra") or []
    return {
        "version": metadata.version(_PACKAGE),
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "packages": {
            each.name: {
                "version": _version(each),
                "wanted": str(each.specifier),
                "fits": _fits(each),
            }
            for each in needed
        },
        "devices": [
            f"{each.device_type} {each.name}" for each in tf.config.list_physical_devices()
        ],
        "cores": os.cpu_count(),
        "memory_gb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        "extras": {
            extra: [str(each.name) for each in _of(extra, requirements) if not _fits(each)]
            for extra in extras
            if extra not in _GATHERED
        },
    }


def _of(extra: str, requirements: list[Requirement]) -> list[Requirement]:
    """What an extra adds."""
    return [
        each
        for each in requirements
        if each.marker and not each.marker.evaluate() and each.marker.evaluate({"extra": extra})
    ]


def _version(requirement: Requirement) -> str | None:
    try:
        return metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return None


def _fits(requirement: Requirement) -> bool:
    version = _version(requirement)
    return version is not None and requirement.specifier.contains(version, prereleases=True)
