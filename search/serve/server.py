"""The deployment: one model a replica, requests of the same moment in one forward pass."""

import asyncio
import logging
import signal
import threading
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import ray
import torch
from fastapi import FastAPI
from ray import serve
from starlette.requests import Request

from search.serve.uploads import pictures_of, pixels_of
from trainables.errors import UserError
from trainables.models.exported import load_exported
from trainables.models.graphs import PictureNetwork
from trainables.predict import softmax

MAX_BATCH = 64  # pictures a forward pass
BATCH_WAIT_SECONDS = 0.005  # for more pictures to come
ONGOING = 2 * MAX_BATCH  # requests a replica works on: a batch, and the next one being decoded
REQUEST_SECONDS = 30.0  # a slower one, one that is slowly sent included, is answered 408
QUEUED = 1024  # requests that wait; one more is answered 503
LOGS = "/tmp/ray/session_latest/logs/serve"  # unless RAY_TMPDIR says otherwise

app = FastAPI(title="two-phase-search", description="What an exported model says of pictures.")


@serve.ingress(app)
class Predictions:
    """An exported model behind HTTP.

    Args:
        export: folder that `python -m search.export` made.
        device: of the network, such as "cpu".
    """

    def __init__(self, export: str, device: str) -> None:
        self._trained = load_exported(Path(export))
        self._network = PictureNetwork(self._trained, device)
        self._device = device
        self._num_pictures = self._num_batches = self._largest_batch = 0

    @app.get("/healthz")
    async def health(self) -> dict[str, Any]:
        """That this replica answers, and how full its forward passes were."""
        return {
            "status": "ok",
            "pictures": self._num_pictures,
            "batches": self._num_batches,
            "largest_batch": self._largest_batch,
        }

    @app.post("/predict")
    async def predict(self, request: Request) -> dict[str, Any]:
        """One picture as the body, or a multipart form of several: class and probabilities."""
        pictures, is_form = await pictures_of(request)
        base_px = self._trained.base_px
        pixels = [
            await asyncio.to_thread(pixels_of, name, content, base_px) for name, content in pictures
        ]
        logits = await asyncio.gather(*(self._logits_of(picture) for picture in pixels))
        replies = [self._answer(row) for row in softmax(np.stack(logits))]
        if not is_form:
            return replies[0]
        names = [name for name, _ in pictures]
        return {"pictures": [{"name": n, **one} for n, one in zip(names, replies, strict=True)]}

    @serve.batch(max_batch_size=MAX_BATCH, batch_wait_timeout_s=BATCH_WAIT_SECONDS)
    async def _logits_of(
        self, pictures: list[npt.NDArray[np.uint8]]
    ) -> list[npt.NDArray[np.float32]]:
        """Called with one picture; Serve gathers those of all requests of the moment."""
        self._num_pictures += len(pictures)
        self._num_batches += 1
        self._largest_batch = max(self._largest_batch, len(pictures))
        return list(await asyncio.to_thread(self._forward, np.stack(pictures)))

    def _forward(self, pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        with torch.inference_mode():
            logits = self._network(torch.tensor(pictures, device=self._device))
            return logits.cpu().numpy()

    def _answer(self, probabilities: npt.NDArray[np.float64]) -> dict[str, Any]:
        names = self._trained.class_names
        best = int(probabilities.argmax())
        return {
            "class": names[best],
            "probability": float(probabilities[best]),
            "probabilities": dict(zip(names, probabilities.tolist(), strict=True)),
        }


def serve_until_told(
    export: Path, *, host: str, port: int, replicas: int, gpus_per_replica: float
) -> None:
    """Start Ray and the server on this machine; return after Ctrl-C or SIGTERM, with both gone.

    Raises:
        UserError: the export cannot be read, GPUs are missing, or the server does not start.
    """
    load_exported(export)  # here as well, where a damaged one is a line and not a dead replica
    num_gpus = torch.cuda.device_count()
    if replicas * gpus_per_replica > num_gpus:
        raise UserError(
            f"--replicas {replicas} x --gpus-per-replica {gpus_per_replica:g} wants "
            f"{replicas * gpus_per_replica:g} GPUs, this machine has {num_gpus}; allowed: as many "
            "as there are, or 0 for the CPU"
        )
    ray.init(
        address="local", include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR
    )
    logging.getLogger("ray.serve").setLevel(logging.ERROR)
    deployment = serve.deployment(
        Predictions,
        num_replicas=replicas,
        max_ongoing_requests=ONGOING,
        max_queued_requests=QUEUED,
        ray_actor_options={"num_cpus": 1, "num_gpus": gpus_per_replica},
    )
    try:
        serve.start(
            http_options={"host": host, "port": port, "request_timeout_s": REQUEST_SECONDS},
            logging_config={"enable_access_log": False},
        )
        serve.run(deployment.bind(str(export.absolute()), "cuda" if gpus_per_replica else "cpu"))
        print(f"serving      http://{host}:{port}/predict, /healthz; Ctrl-C ends it", flush=True)
        _wait_for_signal()
        print("stopping", flush=True)
    except (RuntimeError, ray.exceptions.RayError) as error:
        reason = str(error).partition("\n")[0]
        raise UserError(f"the server did not start ({reason}); see {LOGS}") from error
    finally:
        serve.shutdown()
        ray.shutdown()


def _wait_for_signal() -> None:
    stop_requested = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop_requested.set())
    stop_requested.wait()
