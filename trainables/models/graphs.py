"""The network as a graph that runs without this project: raw pictures in, logits out.

Resize and normalisation are in the graph as the matrices of `Resize`, so every kernel is the one
that the network was trained with; no runtime's own resize operator takes part.
"""

import json
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram
from torch.fx import GraphModule

from trainables.models.checkpoints import TrainedModel
from trainables.models.graph_models import CLASS_NAMES
from trainables.models.resize import Resize

# Where in whose source an operation comes from: of no use elsewhere, and full of local paths.
_ORIGINS = ("stack_trace", "nn_module_stack", "source_fn_stack")
_EXAMPLES = 2  # pictures to trace with; of 1, torch.export makes a constant


class PictureNetwork(nn.Module):
    """A trained model with its preprocessing: uint8 (B, S, S, 3) RGB to float32 logits (B, K).

    S is the side of the data's own pictures, `trained.base_px`. The model is moved to `device`.
    """

    def __init__(self, trained: TrainedModel, device: torch.device | str = "cpu") -> None:
        super().__init__()
        self.network = trained.model.to(device).eval()
        self.resize = Resize.of(trained.config, trained.base_px, device)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.network(self.resize(images))
        return logits


def trace(trained: TrainedModel) -> ExportedProgram:
    """The whole computation on the CPU in float32, for any number of pictures from one on."""
    example = torch.zeros((_EXAMPLES, trained.base_px, trained.base_px, 3), dtype=torch.uint8)
    with torch.no_grad():
        program = torch.export.export(
            PictureNetwork(trained).eval(),
            (example,),
            dynamic_shapes={"images": {0: Dim("batch", min=1)}},
        )
    for module in program.graph_module.modules():
        for node in module.graph.nodes if isinstance(module, GraphModule) else ():
            for origin in _ORIGINS:
                node.meta.pop(origin, None)
    program.example_inputs = None  # the one part of the file that would be a pickle
    return program


def save_program(program: ExportedProgram, class_names: tuple[str, ...], path: Path) -> None:
    """Write a `.pt2` archive; `torch.export.load` reads it without this project."""
    with warnings.catch_warnings():  # on tensors that share their memory, of which there are none
        warnings.simplefilter("ignore")
        torch.export.save(program, path, extra_files={CLASS_NAMES: json.dumps(class_names)})


def save_onnx(program: ExportedProgram, class_names: tuple[str, ...], path: Path) -> None:
    """Write one ONNX file: input "images", output "logits", the class names in its metadata."""
    made = torch.onnx.export(
        program, dynamo=True, input_names=["images"], output_names=["logits"], verbose=False
    )
    assert made is not None
    graph = made.model.graph
    for value in (*graph.inputs, *graph.outputs):
        assert value.shape is not None
        value.shape[0] = "batch"
    for node in graph:
        node.metadata_props.clear()  # as in `trace`
    made.model.metadata_props[CLASS_NAMES] = json.dumps(class_names)
    made.save(path, external_data=False)
