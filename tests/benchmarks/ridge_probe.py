"""What a frozen backbone's features are worth, by picture size: a ridge classifier on them.

    python -m tests.benchmarks.ridge_probe --data parquet:DIR
    python -m tests.benchmarks.ridge_probe --data parquet:DIR --weights OTHER.safetensors

4,000 training and 2,000 validation pictures, enlarged with the bicubic kernel, not augmented; the
strength of the ridge is chosen on the training pictures. The test split is never loaded.
"""

import argparse

import numpy as np
import numpy.typing as npt
import torch
from sklearn.linear_model import RidgeClassifierCV
from sklearn.metrics import accuracy_score, f1_score
from sklearn.preprocessing import StandardScaler

from trainables.config import FineTuneConfig
from trainables.data.load import load_training
from trainables.data.spec import DataSpec
from trainables.models.network import FineTuneModel, build_model
from trainables.models.resize import PREPROCESSING, Resize

STRENGTHS = np.logspace(0, 5, 11)
BATCH_SIZE = 250


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--weights", default="embedded")
    parser.add_argument("--px", type=int, nargs="+", default=[32, 48, 64, 96, 128])
    parser.add_argument("--seeds", type=int, default=2, help="splits")
    arguments = parser.parse_args()
    model = build_model(FineTuneConfig(weights=arguments.weights), num_classes=10)
    print("px   split  macro-F1  accuracy")
    for seed in range(arguments.seeds):
        spec = DataSpec(source=arguments.data, train_size=4_000, val_size=2_000, seed=seed)
        data = load_training(spec)
        for px in arguments.px:
            scaler = StandardScaler()
            train = scaler.fit_transform(features(model, data.train.images, px))
            val = scaler.transform(features(model, data.val.images, px))
            probe = RidgeClassifierCV(alphas=STRENGTHS).fit(train, data.train.labels)
            told = probe.predict(val)
            f1 = f1_score(data.val.labels, told, average="macro")
            print(
                f"{px:<5}{seed:<7}{f1:<10.3f}{accuracy_score(data.val.labels, told):.3f}",
                flush=True,
            )


@torch.inference_mode()
def features(
    model: FineTuneModel, images: npt.NDArray[np.uint8], px: int
) -> npt.NDArray[np.float32]:
    """Pooled features float32 (N, F) of uint8 pictures (N, S, S, 3)."""
    normalisation = PREPROCESSING["imagenet"]
    resize = Resize(
        images.shape[1], px, "bicubic", torch.device("cpu"), normalisation=normalisation
    )
    model = model.eval().to(memory_format=torch.channels_last)
    batches = torch.from_numpy(images).split(BATCH_SIZE)
    return torch.cat([model.features(resize(batch)) for batch in batches]).numpy()


if __name__ == "__main__":
    main()
