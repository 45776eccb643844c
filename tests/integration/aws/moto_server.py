"""moto's server on a free port, which it prints; it ends when its standard input does, and so with whoever started it."""

import logging
import os
import sys
import threading

from moto.awslambda import models
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server


def layers_of_any_account(function, arns):
    """The layers of a function as moto keeps them, which looks for them in the function's own account alone."""
    backends = [models.get_backend(arn.split(":")[4], function.region) for arn in arns]
    found = [backend.layers_versions_by_arn(arn) for backend, arn in zip(backends, arns)]
    if not all(found):
        raise models.UnknownLayerVersionException(arns)
    return [{"Arn": version.arn, "CodeSize": version.code_size} for version in found]


models.LambdaFunction._get_layers_data = layers_of_any_account
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = make_server(
    "127.0.0.1",
    0,
    DomainDispatcherApplication(create_backend_app),
    threaded=True,
    request_handler=MotoRequestHandler,
)
os.environ["MOTO_PORT"] = str(server.port)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.port, flush=True)
sys.stdin.read()
