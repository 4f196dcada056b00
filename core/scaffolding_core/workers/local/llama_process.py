"""The program that `LlamaServer` runs: llama.cpp's server, until its owner is gone.

Takes its settings as one argument, in JSON. Writes the server's address to stdout once the model is loaded;
llama.cpp says on stderr why it is not. Ends when stdin does, which is however the owner ended.
"""

from __future__ import annotations

import json
import os
import signal
import sys


def main() -> None:
    """Load the model, say where it is served, wait for the owner's end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches this process too; its owner decides
    import xllamacpp

    settings = json.loads(sys.argv[1])
    params = xllamacpp.CommonParams()
    params.model.path = settings["model"]
    params.n_parallel = settings["n_parallel"]
    params.n_ctx = settings["n_ctx"]
    for cpu in (params.cpuparams, params.cpuparams_batch):
        cpu.n_threads = settings["threads"]
        cpu.poll = 0
    params.kv_unified = True
    params.cache_ram_mib = 256  # for prompts that no slot holds any more; llama.cpp's own limit is 8 GB
    params.warmup = False
    params.fit_params = False
    params.port = 0
    params.cors_origins = ""
    params.ui = False
    params.verbosity = 1
    try:
        server = xllamacpp.Server(params)
    except RuntimeError:
        sys.exit(1)
    print(server.listening_address, flush=True)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    sys.stdin.buffer.read()
    os._exit(0)  # an orderly close waits half a minute for clients


if __name__ == "__main__":
    main()
