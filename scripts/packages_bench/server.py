"""The real repositories, served as long as they are needed."""

import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).parent.parent.parent / "tests/real_repository/serve.py"


class Server:
    """Within it the server runs; what it gives is its URL."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        command = [sys.executable, str(PROGRAM), self.folder]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self.process.stdout.readline().strip()

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
