"""One TensorBoard event file, in TensorBoard's own format; no PyTorch."""

import io
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar import metadata as custom_scalar
from tensorboard.plugins.hparams import metadata as hparams_metadata
from tensorboard.plugins.hparams import summary_v2 as hparams
from tensorboard.plugins.hparams.api_pb2 import Status
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo
from tensorboard.plugins.text.summary_v2 import text_pb
from tensorboard.summary.writer.record_writer import RecordWriter
from tensorboard.util.tensor_util import make_tensor_proto

FILE_VERSION = "brain.Event:2"  # the first record of every event file
# Charts of the CUSTOM SCALARS page: group -> title -> patterns of the tags that share the chart.
Layout = Mapping[str, Mapping[str, Sequence[str]]]


class EventFile:
    """A new event file in a folder, which TensorBoard shows as a run.

    Not TensorBoard's EventFileWriter: that writes in a thread, which ends with a traceback on the
    terminal when the disk is full. Here the caller gets the OSError.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{time.time():.0f}.{uuid.uuid4().hex}"
        self._writer = RecordWriter((folder / name).open("xb"))
        self._write(Event(file_version=FILE_VERSION, wall_time=time.time()))

    def scalar(self, tag: str, value: float, step: int) -> None:
        self.add(Summary(value=[Summary.Value(tag=tag, simple_value=value)]), step)

    def image(self, tag: str, picture: Image.Image, step: int) -> None:
        """An RGB picture, stored with 256 colours: a quarter of the bytes."""
        encoded = io.BytesIO()
        picture.quantize(256, method=Image.Quantize.FASTOCTREE).save(encoded, "PNG")
        shown = Summary.Image(
            width=picture.width,
            height=picture.height,
            colorspace=3,
            encoded_image_string=encoded.getvalue(),
        )
        self.add(Summary(value=[Summary.Value(tag=tag, image=shown)]), step)

    def text(self, tag: str, markdown: str) -> None:
        self.add(text_pb(tag, markdown))

    def layout(self, charts: Layout) -> None:
        """What the CUSTOM SCALARS page shows, for all runs beside this one."""
        layout = layout_pb2.Layout(
            category=[
                layout_pb2.Category(
                    title=group,
                    chart=[
                        layout_pb2.Chart(
                            title=title, multiline=layout_pb2.MultilineChartContent(tag=patterns)
                        )
                        for title, patterns in titles.items()
                    ],
                )
                for group, titles in charts.items()
            ]
        )
        self._add_tensor(
            custom_scalar.CONFIG_SUMMARY_TAG,
            custom_scalar.create_summary_metadata(),
            make_tensor_proto(layout.SerializeToString()),
        )

    def hparams_page(self, names: Sequence[str], figures: Mapping[str, str]) -> None:
        """The columns of the HPARAMS page: settings, and scalars (tag -> what it is called)."""
        settings = [hparams.HParam(name) for name in names]
        metrics = [hparams.Metric(tag, display_name=label) for tag, label in figures.items()]
        self.add(hparams.hparams_config_pb(hparams=settings, metrics=metrics))

    def hparams_row(self, name: str, values: Mapping[str, object], *, has_failed: bool) -> None:
        """The row of this run, which has ended."""
        shown = {k: v if isinstance(v, bool | int | float) else str(v) for k, v in values.items()}
        self.add(hparams.hparams_pb(shown, trial_id=name))
        status = Status.STATUS_FAILURE if has_failed else Status.STATUS_SUCCESS
        plugin_data = HParamsPluginData(
            session_end_info=SessionEndInfo(status=status, end_time_secs=time.time())
        )
        self._add_tensor(
            hparams_metadata.SESSION_END_INFO_TAG,
            hparams_metadata.create_summary_metadata(plugin_data),
            hparams_metadata.NULL_TENSOR,
        )

    def add(self, summary: Summary, step: int = 0) -> None:
        """Any summary that TensorBoard's plugins make."""
        self._write(Event(summary=summary, step=step, wall_time=time.time()))

    def _write(self, event: Event) -> None:
        self._writer.write(event.SerializeToString())

    def _add_tensor(self, tag: str, metadata: SummaryMetadata, tensor: TensorProto) -> None:
        """What TensorBoard has a function for that wants TensorFlow."""
        self.add(Summary(value=[Summary.Value(tag=tag, metadata=metadata, tensor=tensor)]))

    def flush(self) -> None:
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()
