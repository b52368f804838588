import hashlib
import pickle
import socket
import tarfile
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from torchvision.datasets import CIFAR10

from tests.helpers.pictures import png, textured, write_folder, write_parquet
from trainables.classes import CIFAR10_CLASSES
from trainables.data import cifar10
from trainables.data.decode import decode
from trainables.data.pool import Pool, Source
from trainables.data.sources import check_source, open_source
from trainables.data.spec import DataSpec
from trainables.errors import UserError


def source_of(name: str, folder: Path) -> Source:
    return open_source(DataSpec(source=f"{name}:{folder}"))


def pixels(pool: Pool, base_px: int = 32) -> np.ndarray:
    images, _ = decode(pool, np.arange(len(pool.labels)), base_px=base_px)
    return images


# CIFAR-10


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two training batches and a test batch of two pictures each, in torchvision's own layout."""
    folder = tmp_path / CIFAR10.base_folder
    folder.mkdir()

    def write(name: str, content: dict[str, object]) -> list[str]:
        data = pickle.dumps(content)
        (folder / name).write_bytes(data)
        return [name, hashlib.md5(data).hexdigest()]

    def batch(seed: int, labels: list[int]) -> dict[str, object]:
        rows = textured(2, seed=seed).transpose(0, 3, 1, 2).reshape(2, -1)
        return {"data": rows, "labels": labels}

    batches = [write("data_batch_1", batch(1, [3, 0])), write("data_batch_2", batch(2, [9, 9]))]
    _, meta_md5 = write("batches.meta", {"label_names": CIFAR10_CLASSES})
    monkeypatch.setattr(CIFAR10, "train_list", batches)
    monkeypatch.setattr(CIFAR10, "test_list", [write("test_batch", batch(3, [6, 1]))])
    monkeypatch.setattr(CIFAR10, "meta", CIFAR10.meta | {"md5": meta_md5})
    return tmp_path


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise socket.gaierror("Name or service not known")

    monkeypatch.setattr(socket, "create_connection", refuse)


@pytest.mark.usefixtures("no_network")
def test_cifar10_is_read_from_an_extracted_archive(archive: Path) -> None:
    for folder in (archive, archive / CIFAR10.base_folder):
        source = source_of("cifar10", folder)
        assert source.check() == ()
        pool = source.training_pool()
        assert list(pool.labels) == ["cat", "airplane", "truck", "truck"]
        assert set(source.training_classes()) == set(pool.labels)
        np.testing.assert_array_equal(
            pixels(pool), np.concatenate([textured(2, seed=1), textured(2, seed=2)])
        )
        test = source.sealed_test()
        assert list(test.labels) == ["frog", "automobile"]
        np.testing.assert_array_equal(pixels(test), textured(2, seed=3))


@pytest.mark.usefixtures("no_network")
def test_cifar10_is_extracted_from_the_archive_alone(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = archive / "alone"
    alone.mkdir()
    with tarfile.open(alone / CIFAR10.filename, "w:gz") as tar:
        tar.add(archive / CIFAR10.base_folder, CIFAR10.base_folder)
    checksum = hashlib.md5((alone / CIFAR10.filename).read_bytes()).hexdigest()
    monkeypatch.setattr(CIFAR10, "tgz_md5", checksum)
    assert len(source_of("cifar10", alone).training_pool().labels) == 4


@pytest.mark.usefixtures("no_network")
def test_a_cifar10_file_with_a_wrong_checksum_is_refused(archive: Path) -> None:
    damaged = archive / CIFAR10.base_folder / "data_batch_2"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"!")
    (archive / CIFAR10.base_folder / "test_batch").unlink()
    with pytest.raises(UserError, match=r"data_batch_2 has the wrong MD5, no test_batch"):
        source_of("cifar10", archive).training_pool()


@pytest.mark.usefixtures("no_network")
def test_without_network_cifar10_names_what_was_tried_and_the_ways_out(tmp_path: Path) -> None:
    (fault,) = check_source(DataSpec(source=f"cifar10:{tmp_path}"))
    assert str(tmp_path / "cifar-10-batches-py") in fault
    assert "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz cannot be reached" in fault
    assert "Name or service not known" in fault
    for way_out in ("cifar10:DIR", "parquet:DIR", "imagefolder:DIR", "synthetic"):
        assert way_out in fault


def test_a_silent_server_is_given_up_quickly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, never answers
        port = silent.getsockname()[1]
        monkeypatch.setattr(CIFAR10, "url", f"http://127.0.0.1:{port}/archive.tar.gz")
        monkeypatch.setattr(cifar10, "SERVER_TIMEOUT_SECONDS", 0.1)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        (fault,) = check_source(DataSpec(source=f"cifar10:{tmp_path}"))
    assert "timed out" in fault


def test_cifar10_is_kept_in_the_users_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert cifar10.Cifar10Source().root == Path("/caches/two-phase-search/cifar10")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cifar10.default_root() == Path.home() / ".cache/two-phase-search/cifar10"


# Folders


def test_folders_give_pictures_in_order_and_skip_the_rest(tmp_path: Path) -> None:
    pictures = textured(4, seed=0)
    write_folder(tmp_path / "train", pictures, ["bee", "ant", "bee", "ant"])
    (tmp_path / "train" / "ant" / "notes.txt").write_text("not a picture")
    (tmp_path / "train" / "ant" / "._0001.png").write_bytes(b"a file manager's litter")
    (tmp_path / "train" / ".cache").mkdir()
    source = source_of("imagefolder", tmp_path)
    pool = source.training_pool()
    assert list(pool.labels) == ["ant", "ant", "bee", "bee"]
    assert set(source.training_classes()) == set(pool.labels)
    np.testing.assert_array_equal(pixels(pool), pictures[[1, 3, 0, 2]])


def test_faults_of_both_folders_are_listed_at_once(tmp_path: Path) -> None:
    write_folder(tmp_path / "train", textured(1, seed=0), ["ant"])
    (tmp_path / "train" / "bee").mkdir()
    faults = source_of("imagefolder", tmp_path).check()
    assert [fault.split(";")[0] for fault in faults] == [
        f"{tmp_path}/train/bee holds no picture",
        f"{tmp_path}/test is not a folder",
    ]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
def test_pictures_of_every_8_bit_mode_become_rgb(tmp_path: Path, mode: str) -> None:
    grey = Image.new("RGB", (32, 32), (255, 255, 255)).convert(mode)
    (tmp_path / "train" / "ant").mkdir(parents=True)
    grey.save(tmp_path / "train" / "ant" / "0.tif")
    images = pixels(source_of("imagefolder", tmp_path).training_pool())
    np.testing.assert_array_equal(images, np.full((1, 32, 32, 3), 255))


def test_corrupt_pictures_are_named_ten_and_a_count(tmp_path: Path) -> None:
    write_folder(tmp_path / "train", textured(14, seed=0), ["ant"] * 14)
    for index in range(1, 13):
        path = tmp_path / "train" / "ant" / f"{index:04}.png"
        path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(UserError) as caught:
        pixels(source_of("imagefolder", tmp_path).training_pool())
    faults = caught.value.faults
    assert len(faults) == 11
    assert faults[0].startswith(f"{tmp_path}/train/ant/0001.png cannot be decoded")
    assert faults[10] == "and 2 more like these"


@pytest.mark.parametrize(("kind", "order"), [("png", "<u2"), ("tif", "<u2"), ("tif", ">u2")])
def test_of_sixteen_bits_the_high_byte_is_kept(tmp_path: Path, kind: str, order: str) -> None:
    (tmp_path / "train" / "ant").mkdir(parents=True)
    deep = Image.fromarray(np.full((32, 32), 40_000, order))
    deep.save(tmp_path / "train" / "ant" / f"deep.{kind}")
    images = pixels(source_of("imagefolder", tmp_path).training_pool())
    np.testing.assert_array_equal(images, np.full((1, 32, 32, 3), 40_000 // 256))


def test_thirty_two_bit_pictures_are_refused_rather_than_clipped(tmp_path: Path) -> None:
    (tmp_path / "train" / "ant").mkdir(parents=True)
    deep = Image.fromarray(np.full((32, 32), 40_000, np.int32))
    deep.save(tmp_path / "train" / "ant" / "deep.tif")
    with pytest.raises(UserError, match=r"deep\.tif cannot be decoded \(its mode is I\)"):
        pixels(source_of("imagefolder", tmp_path).training_pool())


def test_a_rotation_in_the_metadata_is_applied(tmp_path: Path) -> None:
    (tmp_path / "train" / "ant").mkdir(parents=True)
    upright = textured(1, seed=0)[0]
    exif = Image.Exif()
    exif[0x0112] = 3  # orientation: upside down
    sideways = Image.fromarray(np.ascontiguousarray(upright[::-1, ::-1]))
    sideways.save(tmp_path / "train" / "ant" / "0.png", exif=exif)
    images = pixels(source_of("imagefolder", tmp_path).training_pool())
    np.testing.assert_array_equal(images[0], upright)


def test_other_sizes_keep_their_aspect_ratio_by_a_central_crop() -> None:
    wide = np.zeros((64, 128, 3), np.uint8)
    wide[:, 32:96] = 200  # exactly the central square
    pool = Pool(pictures=[png(wide), wide[:, 32:96]], labels=["ant"] * 2, places=["a", "b"])
    images, (note,) = decode(pool, np.array([0, 1]), base_px=32)
    inside = images[:, :, 3:-3]  # the kernel looks three pixels beyond the edge of the crop
    np.testing.assert_array_equal(inside, np.full((2, 32, 26, 3), 200))
    assert images.min() > 150
    assert note.startswith("2 of 2 pictures were 64x64..128x64 and were resized once to 32x32")


def test_reduction_is_antialiased() -> None:
    checkerboard = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)
    fine = np.repeat(checkerboard[..., None], 3, axis=2)
    images, _ = decode(
        Pool(pictures=[fine], labels=["ant"], places=["a"]), np.array([0]), base_px=32
    )
    assert np.abs(images[0, 4:-4, 4:-4].astype(int) - 127).max() <= 10  # the mean, no moire


# Parquet


def test_parquet_takes_the_names_that_the_schema_declares(tmp_path: Path) -> None:
    pictures = textured(3, seed=0)
    cells = [png(picture) for picture in pictures]
    names = ["zebra", "ant", "bee"]
    write_parquet(
        tmp_path / "data/train-00000-of-00002.parquet", cells[:2], [0, 2], class_names=names
    )
    write_parquet(tmp_path / "data/train-00001-of-00002.parquet", cells[2:], [1], class_names=names)
    write_parquet(tmp_path / "data/test-00000-of-00001.parquet", cells[:1], [2])
    source = source_of("parquet", tmp_path)
    assert source.check() == ()
    pool = source.training_pool()
    assert list(pool.labels) == ["zebra", "bee", "ant"]
    assert set(source.training_classes()) == set(pool.labels)
    assert pool.places[2] == "data/train-00001-of-00002.parquet row 0"
    np.testing.assert_array_equal(pixels(pool), pictures)
    assert list(source.sealed_test().labels) == ["bee"]


def test_ten_unnamed_classes_beside_an_img_column_are_those_of_cifar10(tmp_path: Path) -> None:
    cell = png(textured(1, seed=0)[0])
    write_parquet(tmp_path / "train.parquet", [cell] * 10, range(10), image_column="img")
    write_parquet(tmp_path / "test.parquet", [cell] * 2, [9, 3], image_column="img")
    source = source_of("parquet", tmp_path)
    assert list(source.training_pool().labels)[::3] == ["airplane", "cat", "frog", "truck"]
    assert list(source.sealed_test().labels) == ["truck", "cat"]


def test_other_unnamed_classes_keep_the_order_of_their_numbers(tmp_path: Path) -> None:
    cell = png(textured(1, seed=0)[0])
    write_parquet(tmp_path / "train.parquet", [cell] * 3, [10, 2, 0], label_column="fine_label")
    labels = source_of("parquet", tmp_path).training_pool().labels
    assert list(labels) == ["class_10", "class_02", "class_00"]


def test_text_labels_need_no_names(tmp_path: Path) -> None:
    cell = png(textured(1, seed=0)[0])
    write_parquet(tmp_path / "train.parquet", [cell] * 2, ["bee", "ant"], label_column="labels")
    assert list(source_of("parquet", tmp_path).training_pool().labels) == ["bee", "ant"]


def test_training_works_without_the_test_file(tmp_path: Path) -> None:
    cell = png(textured(1, seed=0)[0])
    write_parquet(tmp_path / "train.parquet", [cell], [0])
    source = source_of("parquet", tmp_path)
    assert len(source.training_pool().labels) == 1
    (fault,) = source.check()
    assert fault.startswith(f"{tmp_path} holds no test*.parquet; allowed:")


def test_all_faults_of_the_files_are_listed_at_once(tmp_path: Path) -> None:
    cell = png(textured(1, seed=0)[0])
    write_parquet(tmp_path / "train-0.parquet", [cell], [0])
    whole = (tmp_path / "train-0.parquet").read_bytes()
    (tmp_path / "train-1.parquet").write_bytes(whole[:-20])
    (tmp_path / "train-2.parquet").write_text("a web page that says 404")
    write_parquet(tmp_path / "test.parquet", [cell], [0], image_column="photo", label_column="y")
    faults = source_of("parquet", tmp_path).check()
    assert [fault.split(" (")[0].split(",")[0] for fault in faults] == [
        f"{tmp_path}/train-1.parquet cannot be read",
        f"{tmp_path}/train-2.parquet cannot be read",
        f"{tmp_path}/test.parquet has no column of pictures",
        f"{tmp_path}/test.parquet has no column of labels",
    ]


def test_damage_inside_a_parquet_file_is_found_on_reading(tmp_path: Path) -> None:
    cells = [png(picture) for picture in textured(4, seed=0)]
    write_parquet(tmp_path / "train.parquet", cells, [0, 1, 0, 1])
    content = bytearray((tmp_path / "train.parquet").read_bytes())
    content[4:200] = bytes(196)  # the first page's header
    (tmp_path / "train.parquet").write_bytes(content)
    with pytest.raises(UserError, match=r"train\.parquet is damaged"):
        source_of("parquet", tmp_path).training_pool()


def test_bad_rows_are_named_together(tmp_path: Path) -> None:
    cell = png(textured(1, seed=0)[0])
    write_parquet(
        tmp_path / "train.parquet", [cell, None, cell, cell], [0, 1, None, 2], class_names="ab"
    )
    with pytest.raises(UserError) as caught:
        source_of("parquet", tmp_path).training_pool()
    assert [fault.split(";")[0] for fault in caught.value.faults] == [
        "train.parquet row 1 has no bytes of a picture",
        "train.parquet row 2 has no label",
        "train.parquet row 3 has the label 2",
    ]


def test_undecodable_rows_are_named(tmp_path: Path) -> None:
    cell = png(textured(1, seed=0)[0])
    write_parquet(tmp_path / "train.parquet", [cell, b"GIF89a", cell[:100]], [0, 0, 0])
    with pytest.raises(UserError) as caught:
        pixels(source_of("parquet", tmp_path).training_pool())
    assert [fault.split(" (")[0] for fault in caught.value.faults] == [
        "train.parquet row 1 cannot be decoded",
        "train.parquet row 2 cannot be decoded",
    ]


# Synthetic


def test_the_synthetic_test_is_drawn_with_a_seed_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from trainables.data.synthetic import source as synthetic

    drawn = []

    def draw(count: int, *, seed: int) -> SimpleNamespace:
        drawn.append((count, seed))
        return SimpleNamespace(images=textured(count, seed=0), labels=np.arange(count) % 10)

    monkeypatch.setattr(synthetic, "draw", draw)
    source = open_source(DataSpec(source="synthetic", train_size=20, val_size=11, seed=7))
    assert source.check() == ()
    assert len(source.training_pool().labels) == 31
    assert list(source.sealed_test().labels[:2]) == ["airplane", "automobile"]
    assert drawn == [(31, 7), (2_000, 7 + 2**31)]
    assert set(source.training_classes()) == set(source.sealed_test().labels)
    with pytest.raises(UserError, match="seed is 2147483655"):
        DataSpec(source="synthetic", seed=7 + 2**31)


def test_encoded_bytes_paths_and_arrays_decode_alike(tmp_path: Path) -> None:
    picture = textured(1, seed=0)[0]
    (tmp_path / "0.png").write_bytes(png(picture))
    jpeg = BytesIO()
    Image.fromarray(picture).save(jpeg, format="JPEG")
    pool = Pool(
        pictures=[png(picture), tmp_path / "0.png", picture, jpeg.getvalue()],
        labels=["ant"] * 4,
        places=list("abcd"),
    )
    images = pixels(pool)
    np.testing.assert_array_equal(images[:3], np.stack([picture] * 3))
    np.testing.assert_array_equal(images[3], np.asarray(Image.open(jpeg)))
