"""Work counted, against figures that are published or follow by hand."""

from dataclasses import replace

import pytest

from search.plan.flops import demand, forward_flops
from trainables.config import FineTuneConfig

CONFIG = FineTuneConfig(resolution_px=32, weights="none", head_epochs=2, finetune_epochs=3)


def test_resnets_take_what_torchvision_says_they_take():
    # 1.814 and 4.089 billion multiply-adds at 224 px, of which the classifier is 0.001 to 0.002.
    small, large = (
        forward_flops(replace(CONFIG, backbone=name, resolution_px=224))
        for name in ("resnet18", "resnet50")
    )
    assert small == pytest.approx(2 * 1.814e9, rel=0.01)
    assert large == pytest.approx(2 * 4.089e9, rel=0.01)


def test_work_grows_with_the_area():
    assert forward_flops(replace(CONFIG, resolution_px=64)) == 4 * forward_flops(CONFIG)


def test_a_step_is_forward_and_twice_the_trained_layers():
    forward = forward_flops(CONFIG)
    assert demand(replace(CONFIG, unfreeze="all")).step_flops == (3 * forward,) * 3
    top5 = demand(replace(CONFIG, unfreeze="top5")).step_flops[0]
    stage3 = demand(replace(CONFIG, unfreeze="stage3")).step_flops[0]
    assert forward < top5 < stage3 < 3 * forward


def test_below_the_unfreeze_point():
    # ResNet-18 at 32 px: stage 4 begins after the stem and six blocks, on maps of 256 x 2 x 2.
    stage4 = demand(replace(CONFIG, unfreeze="stage4", precision="float32")).below[0]
    assert (stage4.num_parts, stage4.picture_bytes) == (7, 256 * 2 * 2 * 4)
    assert 0.5 < stage4.share < 0.9
    assert demand(replace(CONFIG, unfreeze="stage4", precision="bf16")).below[0].picture_bytes == (
        256 * 2 * 2 * 2
    )
    everything = demand(replace(CONFIG, unfreeze="all")).below[0]
    assert (everything.num_parts, everything.share, everything.picture_bytes) == (0, 0.0, 0)
    gradual = demand(replace(CONFIG, unfreeze="all", unfreeze_mode="gradual")).below
    assert [b.num_parts for b in gradual] == sorted((b.num_parts for b in gradual), reverse=True)


def test_gradual_unfreezing_grows_to_the_whole_depth():
    gradual = demand(replace(CONFIG, unfreeze="all", unfreeze_mode="gradual")).step_flops
    assert list(gradual) == sorted(set(gradual))
    assert gradual[-1] == 3 * forward_flops(CONFIG)


def test_a_demand_says_how_much_is_mixed_and_how_long_phase_1_is():
    asked = demand(replace(CONFIG, cutmix_probability=0.25, mixup_probability=0.5))
    assert (asked.mixed_share, asked.head_epochs, len(asked.step_flops)) == (0.75, 2, 3)
