# SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
import pytest

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.report import montage as m
from vizion3d_ros.report.panels import figures, stereo_panels
from vizion3d_ros.report.summary import Maps

HEIGHT, WIDTH = 120, 160
RAMP = np.tile(np.linspace(1, 9, WIDTH, dtype=np.float32), (HEIGHT, 1))
LEFT = np.full((HEIGHT, WIDTH, 3), (200, 30, 10), np.uint8)
FULL = Maps(LEFT, RAMP * 1.01, 20 / RAMP, RAMP / 9, RAMP, 20 / RAMP)


def titles(maps):
    return [panel.title for panel in stereo_panels(maps)]


def test_a_full_frame_has_all_panels_in_reading_order():
    assert titles(FULL) == [
        'Left image',
        'Ground truth depth',
        'Depth',
        'Error: |depth - truth| / truth',
        'Confidence',
    ]


@pytest.mark.parametrize(
    ('maps', 'expected'),
    [
        (Maps(), []),
        (Maps(left=LEFT[..., 0]), ['Left image']),
        (Maps(left=LEFT, disparity=RAMP), ['Left image', 'Disparity']),
        (Maps(depth_m=RAMP, disparity=RAMP), ['Depth']),
        (Maps(left=LEFT, depth_m=np.full_like(RAMP, np.nan)), ['Left image']),
        (
            Maps(disparity=RAMP, true_disparity=RAMP),
            ['Ground truth disparity', 'Disparity', 'Error: |disparity - truth|'],
        ),
    ],
)
def test_missing_parts_are_left_out(maps, expected):
    assert titles(maps) == expected
    picture = m.montage(stereo_panels(maps), [('Valid share', '50 %')])
    assert picture.dtype == np.uint8 and picture.ndim == 3


def test_truth_and_depth_share_one_scale():
    panels = {panel.title: panel for panel in stereo_panels(FULL)}
    assert panels['Depth'].scale == panels['Ground truth depth'].scale


def test_truth_of_another_size_is_refused():
    with pytest.raises(InputError, match='shape'):
        stereo_panels(Maps(depth_m=RAMP, true_depth_m=RAMP[:-1]))


def test_five_panels_and_the_card_fill_two_rows_of_three():
    picture = m.montage(stereo_panels(FULL), figures({'valid_share': 0.5}))
    height = m.HEADING + HEIGHT * m.PANEL_WIDTH / WIDTH + m.FOOTER
    assert picture.shape == (2 * height + m.MARGIN, 3 * (m.MARGIN + m.PANEL_WIDTH) + m.MARGIN, 3)


def test_colours_of_the_photo_survive():
    picture = m.montage([m.photo('Left image', LEFT)])
    assert picture[m.HEADING + 50, m.MARGIN + 50].tolist() == [10, 30, 200]  # BGR


def test_no_answer_is_black_and_no_truth_grey():
    truth, error = RAMP.copy(), RAMP.copy()
    truth[0, 0] = np.nan
    error[0, :2] = np.nan
    scale = m.Scale(0.0, 5.0, '%', cv2.COLORMAP_PLASMA)
    panel = m.error_chart('Error', error, truth, scale)
    assert panel.picture[0, 0].tolist() == list(m.NO_TRUTH)
    assert panel.picture[0, 1].tolist() == list(m.NO_ANSWER)
    assert panel.picture[0, 2].any()
    assert panel.marks == (m.NO_ANSWER, m.NO_TRUTH)


def test_near_is_red_and_far_is_blue():
    panel = m.chart('Depth', RAMP, m.depth_scale(RAMP, 1.0))
    near, far = panel.picture[0, 8].astype(int), panel.picture[0, -30].astype(int)
    assert near[2] > near[0] and far[0] > far[2]


def test_ticks_of_linear_and_logarithmic_scales():
    linear = m.Scale(0.0, 5.0, '%', cv2.COLORMAP_PLASMA)
    assert [linear.tick(p) for p in (0, 0.5, 1)] == ['0 %', '2.5 %', '5 %']
    logarithmic = m.Scale(1.0, 16.0, 'm', cv2.COLORMAP_TURBO, logarithmic=True)
    assert [logarithmic.tick(p) for p in (0, 0.5, 1)] == ['1 m', '4 m', '16 m']
    np.testing.assert_allclose(logarithmic.level(np.array([0.1, 4.0, 99.0])), [0, 0.5, 1])


def test_a_map_of_one_value_has_a_scale():
    scale = m.disparity_scale(np.full((3, 3), 5.0), 1.0)
    assert scale is not None and scale.high > scale.low
    assert m.depth_scale(np.zeros((3, 3)), 1.0) is None


def test_figures_leave_out_what_is_missing():
    rows = figures({'valid_share': 0.875, 'bad_1': None, 'epe': 0.5})
    assert rows == [('Valid share', '87.50 %'), ('EPE', '0.500 px')]
