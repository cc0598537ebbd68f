"""The one door to the workshop: `python3 build_scripts/dev.py CMD`. Standard library only; Linux, Windows, macOS.

demo   start the backend with its demo office, and the client signed in as a clerk     --as NAME, --offline, --stop, --reset
check  format, lint, import contracts, spelling, module folders, types (--fix); test: check, then pytest with the arguments given: what CI runs
bench  figures beside their references                                                 NAME…, --json FILE, --peers
tour   drive the real client through every page and save pictures                      --out DIR, --only PAGE
package WHAT: bundle, deb, windows, macos, server, update-repo, sbom or release         --out, --version, --check
module new ID: make the folder of a new office module that passes every check          --label-zh, --label-en, --type, --rules
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - whoever starts us with an older one should hear why
    sys.exit("Tongban needs Python 3.11 or newer; this is " + sys.version.split()[0])

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # run as a script, Python puts this folder there; names here are absolute, from the root

from build_scripts import checks, demo, environment, scaffold, system_packages  # noqa: E402 - the path above comes first
from build_scripts.progress import StepFailed  # noqa: E402

TEST_FAILED = 1
CANNOT = 2


def main(argv: list[str] | None = None) -> int:
    """Runs one command; returns the process's exit code: 0 good, 1 something failed, 2 it could not be done."""
    for stream in (sys.stdout, sys.stderr):
        # A Windows console may not know every sign; and what we say comes before what the programs we start say.
        stream.reconfigure(errors="replace", line_buffering=True)  # type: ignore[union-attr]
    options, rest = _parser().parse_known_args(argv)
    if rest and options.command not in {"test", "bench", "package"}:
        _parser().error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        return _run(options, rest)
    except StepFailed as failure:
        print(failure, file=sys.stderr)
        return CANNOT
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dev.py", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True, metavar="CMD")
    command = commands.add_parser("demo", help="the demo office and a client")
    command.add_argument("--as", dest="person", default=demo.CLERK, metavar="NAME", help="whose client to open")
    command.add_argument("--reset", action="store_true", help="throw the demo's data away and start over")
    command.add_argument("--stop", action="store_true", help="stop the demo's backend; open clients are offline then")
    command.add_argument("--offline", action="store_true", help="open a client without starting the backend")
    commands.add_parser("test", help="everything CI runs; more arguments go to pytest", add_help=False)
    command = commands.add_parser("check", help="format, lint, contracts, spelling, types")
    command.add_argument("--fix", action="store_true", help="let ruff mend what it can")
    commands.add_parser("bench", help="figures beside references", add_help=False)
    command = commands.add_parser("tour", help="pictures of every page")
    command.add_argument("--out", default="out/tour", metavar="DIR")
    command.add_argument("--only", metavar="PAGE")
    commands.add_parser("package", help="installers and updates, below dist/", add_help=False)
    command = commands.add_parser("module", help="make a new office module")
    command.add_argument("what", choices=["new"])
    command.add_argument("id", help="the folder's name, such as vehicles")
    command.add_argument("--label-zh", required=True, metavar="TEXT", help="its Chinese name")
    command.add_argument("--label-en", required=True, metavar="TEXT", help="its English name")
    command.add_argument("--type", default="", metavar="NAME", help="its first record type, such as Vehicle")
    command.add_argument("--group", default="official", choices=scaffold.GROUPS, help="where the workbench shows it")
    command.add_argument("--icon", default="ph.folder", metavar="ph.NAME", help="a Phosphor icon")
    command.add_argument("--rules", action="store_true", help="with a rules.py")
    commands.add_parser("lock", help="make the lock anew")
    return parser


def _run(options: argparse.Namespace, rest: list[str]) -> int:
    match options.command:
        case "demo":
            return demo.run(options.person, reset=options.reset, stop=options.stop, offline=options.offline)
        case "test":
            return _test(rest)
        case "check":
            return 0 if checks.run_checks(environment.ensure_environment(), fix=options.fix) else TEST_FAILED
        case "bench":
            return _in_environment("build_scripts.bench_runner", rest)
        case "tour":
            return _in_environment(
                "build_scripts.tour", ["--out", options.out, *(["--only", options.only] if options.only else [])]
            )
        case "package":
            return _in_environment("build_scripts.package", rest)
        case "module":
            return _new_module(options)
        case _:
            environment.write_lock()
            return 0


def _new_module(options: argparse.Namespace) -> int:
    wanted = scaffold.Wanted(
        id=options.id,
        zh=options.label_zh,
        en=options.label_en,
        type_name=options.type,
        group=options.group,
        icon=options.icon,
        rules=options.rules,
    )
    for path in scaffold.make_module(wanted):
        print(path.relative_to(ROOT))
    print("next: edit module.toml (docs/modules.md), then dev.py check")
    return 0


def _test(pytest_args: list[str]) -> int:
    python = environment.ensure_environment()
    _provide_screen()
    checked = checks.run_checks(python)
    # On all cores, unless the arguments say otherwise or want a terminal.
    spread = [] if {"-n", "--pdb", "-s"} & set(pytest_args) else ["-n", "auto"]
    tested = subprocess.run([python, "-m", "pytest", *spread, *pytest_args], cwd=ROOT, check=False)
    return tested.returncode or (0 if checked else TEST_FAILED)


def _in_environment(module: str, argv: list[str]) -> int:
    python = environment.ensure_environment()
    _provide_screen()
    return subprocess.run([python, "-m", module, *argv], cwd=ROOT, check=False).returncode


def _provide_screen() -> None:
    missing = [
        need for need in system_packages.provide(system_packages.WINDOW + system_packages.SCREEN) if not need.optional
    ]
    if missing:
        raise StepFailed(
            f"This needs {', '.join(need.name for need in missing)} on this machine (the command is above)."
        )


if __name__ == "__main__":
    sys.exit(main())
