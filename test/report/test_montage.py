# SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
import pytest

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.contracts.metric_scale import SparseDepth
from vizion3d_ros.report import montage as m
from vizion3d_ros.report.panels import figures, frame_panels
from vizion3d_ros.report.summary import Maps

HEIGHT, WIDTH = 120, 160
RAMP = np.tile(np.linspace(1, 9, WIDTH, dtype=np.float32), (HEIGHT, 1))
LEFT = np.full((HEIGHT, WIDTH, 3), (200, 30, 10), np.uint8)
FULL = Maps(LEFT, RAMP * 1.01, 20 / RAMP, RAMP / 9, RAMP, 20 / RAMP)


def points(factors):
    """Sparse depth in the middle row of RAMP at columns 20, 60, ..., off by these factors."""
    columns = np.arange(20, WIDTH, 40)[: len(factors)].astype(np.float32)
    depth_m = RAMP[60, columns.astype(int)] * np.asarray(factors, np.float32)
    return SparseDepth(columns, np.full_like(columns, 60), depth_m)


def titles(maps):
    return [panel.title for panel in frame_panels(maps)]


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
    picture = m.montage(frame_panels(maps), [('Valid share', '50 %')])
    assert picture.dtype == np.uint8 and picture.ndim == 3


def test_truth_and_depth_share_one_scale():
    panels = {panel.title: panel for panel in frame_panels(FULL)}
    assert panels['Depth'].scale == panels['Ground truth depth'].scale


def test_truth_of_another_size_is_refused():
    with pytest.raises(InputError, match='shape'):
        frame_panels(Maps(depth_m=RAMP, true_depth_m=RAMP[:-1]))


def test_one_camera_shows_first_what_depth_comes_of_and_then_the_truth():
    maps = Maps(LEFT, RAMP, true_depth_m=RAMP, relative=9 / RAMP, sparse=points([1.0]))
    assert titles(maps) == [
        'Left image and sparse depth',
        'Relative answer',
        'Depth',
        'Ground truth depth',
        'Error: |depth - truth| / truth',
    ]


def test_a_remark_stands_on_the_relative_answer_and_on_the_card():
    panels = frame_panels(Maps(LEFT, relative=RAMP), 'random weights: no meaning')
    assert panels[1].title == 'Relative answer (random weights: no meaning)'
    plain, remarked = (m.montage(panels, remark=remark) for remark in ('', 'random weights'))
    card = np.s_[:, -m.PANEL_WIDTH - m.MARGIN :]
    assert np.array_equal(plain[:, : card[1].start], remarked[:, : card[1].start])
    alert = (remarked[card] == m.ALERT).all(axis=2)
    assert alert.any() and not (plain[card] == m.ALERT).all(axis=2).any()


def test_long_titles_and_remarks_stay_within_their_place():
    words = 'a rather long remark on the answer ' * 4
    picture = m.montage([m.Panel(words, LEFT)], remark=words)
    title = picture[: m.HEADING, : 2 * m.MARGIN + m.PANEL_WIDTH]
    dark = np.flatnonzero((title != m.PAPER).any(axis=(0, 2)))
    assert dark[0] >= m.MARGIN - 2 and m.MARGIN + 400 < dark[-1] < m.MARGIN + m.PANEL_WIDTH + 2
    assert (picture[:, -m.MARGIN :] == m.PAPER).all()


def test_points_show_their_depth_and_wrong_ones_are_marked():
    (panel,) = frame_panels(Maps(LEFT, true_depth_m=RAMP, depth_m=None, sparse=points([1, 2])))[:1]
    assert panel.marks == ()
    panel = frame_panels(Maps(LEFT, RAMP, true_depth_m=RAMP, sparse=points([1, 2])))[0]
    assert panel.picture[60, 20].tolist() != list(m.DISAGREES)
    assert panel.picture[60, 60].tolist() == list(m.DISAGREES)
    assert panel.marks == (m.DISAGREES,)
    assert panel.picture[10, 10].tolist() == [panel.picture[10, 10, 0]] * 3  # the rest is grey


@pytest.mark.parametrize(('percent', 'end'), [(0.1, 0.2), (0.5, 1.0), (3.0, 5.0), (30.0, 5.0)])
def test_the_error_scale_fits_the_error(percent, end):
    maps = Maps(depth_m=RAMP * (1 + percent / 100), true_depth_m=RAMP)
    assert frame_panels(maps)[-1].scale.high == end


def test_five_panels_and_the_card_fill_two_rows_of_three():
    picture = m.montage(frame_panels(FULL), figures({'valid_share': 0.5}))
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


def test_figures_of_a_fit_and_of_a_relative_answer():
    fit = {'points': 1500.0, 'inliers': 1200.0, 'cells': 16.0, 'residual': 0.0031}
    assert figures({'scale_fit': fit}) == [
        ('Points that agree', '80 % of 1500'),
        ('Residual, median', '0.31 %'),
    ]
    report = {'answer': 'relative_depth/image', 'frames_answered': 15, 'frames_sent': 16}
    assert figures(report) == [('Answer', 'relative, no metres'), ('Frames answered', '15 of 16')]
