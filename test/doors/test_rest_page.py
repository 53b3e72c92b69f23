# SPDX-License-Identifier: Apache-2.0
"""The page of the REST server in a real browser: it shows what the Python API computes."""

import os
import re
import shutil
from io import BytesIO

import numpy as np
import pytest
from encoded import png
from PIL import Image
from rest_client import MONO
from served import wait_for

from vizion3d_ros.files.calibration_file import parse_calibration
from vizion3d_ros.stereo import StereoDepth, StereoDepthAdvancedConfig, StereoDepthCommand

BROWSER = shutil.which('chromium') or shutil.which('chromium-headless-shell')
SOFTWARE_WEBGL = ['--use-angle=swiftshader', '--enable-unsafe-swiftshader']
READY = '#server:not(:empty)'
WIDE, PHONE = {'width': 1300, 'height': 1000}, {'width': 390, 'height': 844}
CALIBRATION = """# of a rig
cam0=[101.5 0 70.25; 0 101.5 47; 0 0 1]
cam1=[101.5 0 72.5; 0 101.5 47; 0 0 1]
baseline=120 mm
width=160
height=96
"""


@pytest.fixture(scope='module')
def launch():
    """Call it with flags to get a browser."""
    playwright = pytest.importorskip('playwright.sync_api', reason='needs playwright')
    if not BROWSER:
        pytest.skip('needs chromium')
    # its sandbox does not work for root
    with playwright.sync_playwright() as driver:
        yield lambda *flags: driver.chromium.launch(
            executable_path=BROWSER, args=['--no-sandbox', *flags]
        )


@pytest.fixture(scope='module')
def browser(launch):
    started = launch(*SOFTWARE_WEBGL)
    yield started
    started.close()


@pytest.fixture
def page(browser, both):
    """The page of the server, opened; what it complains of or asks of others fails the test."""
    faults = []
    tab = browser.new_page(viewport=WIDE, reduced_motion='reduce')
    tab.set_default_timeout(15000)
    tab.on('console', lambda said: faults.append(said.text) if is_fault(said) else None)
    tab.on('pageerror', lambda error: faults.append(str(error)))
    home = f'http://127.0.0.1:{both.port}/'
    tab.on('request', lambda asked: asked.url.startswith(home) or faults.append(asked.url))
    tab.goto(home)
    tab.wait_for_selector(READY)
    yield tab
    tab.close()
    assert faults == []


def is_fault(said):
    refused = 'the server responded with a status of 4' in said.text
    return said.type == 'error' and not refused


def pick(page, **images):
    for name, data in images.items():
        page.set_input_files(f'[name={name}]', {'name': name, 'mimeType': '', 'buffer': data})


def drop(page, files):
    """Let files, bytes by name, fall on the heading."""
    page.evaluate(
        """(named) => {
            const files = new DataTransfer();
            for (const [name, data] of Object.entries(named)) {
                files.items.add(new File([Uint8Array.from(data)], name));
            }
            const init = { bubbles: true, cancelable: true, dataTransfer: files };
            document.querySelector('h1').dispatchEvent(new DragEvent('drop', init));
        }""",
        {name: [*data] for name, data in files.items()},
    )


def compute(page):
    page.click('#compute')
    page.wait_for_selector('#compute:enabled')
    return page.inner_text('#note')


def told_at(page, canvas, shape, x, y):
    """What is said of the pixel in column x and row y of a map of that shape."""
    box = page.locator(canvas).bounding_box()
    scale = box['width'] / shape[1]
    page.locator(canvas).hover(position={'x': (x + 0.5) * scale, 'y': (y + 0.5) * scale})
    return page.inner_text('#value')


def test_a_real_pair_is_shown_with_its_values_and_its_cloud(page, data_dir):
    folder = data_dir / 'motorcycle'
    images = {side: halved(folder / f'{side}.png') for side in ('left', 'right')}
    pick(page, left_image=images['left'], right_image=images['right'])
    numbers = numbers_of((folder / 'calib.txt').read_text(), scale=0.5)
    for name, value in numbers.items():
        page.fill(f'#calibration [name={name}]', str(value))
    assert compute(page) == ''
    expected = answer_of(images['left'], images['right'], numbers)
    same_values(page, expected)
    colourful(page, '#depth', '#disparity', '#cloud')
    picture_for_people(page, 'page')


def numbers_of(calibration, scale=1):
    """Fields of the form for images of another scale."""
    rig = parse_calibration(calibration).rig
    left, doffs = rig.left, rig.doffs
    pixels = {'focal_length': left.fx, 'cx': left.cx, 'cy': left.cy, 'doffs': doffs}
    scaled = {name: value * scale for name, value in pixels.items()}
    return scaled | {'baseline': rig.baseline_m * 1000}


def halved(path):
    with Image.open(path) as image:
        half = image.convert('RGB').reduce(2)
    written = BytesIO()
    half.save(written, 'png')
    return written.getvalue()


def answer_of(left, right, numbers):
    config = StereoDepthAdvancedConfig(**numbers)
    command = StereoDepthCommand(
        left_image=left, right_image=right, model_backend='opencv-sgbm', advanced_config=config
    )
    return StereoDepth('cpu').run(command)


def same_values(page, expected):
    """Of pixels all over the maps, under the pointer in either."""
    height, width = expected.depth.shape
    for x, y in [(width // 2, height // 2), (width - 2, 1), (width // 3, height - 2), (1, 1)]:
        depth, disparity = expected.depth[y, x], expected.disparity[y, x]
        values = f'{depth:.3f} m, {disparity:.2f} px' if depth else 'not measured'
        for canvas in ('#depth', '#disparity'):
            told = told_at(page, canvas, expected.depth.shape, x, y)
            assert told == f'x {x}, y {y}: {values}'
    facts = page.inner_text('#facts')
    assert f'{expected.min_depth:.3f} m to {expected.max_depth:.3f} m' in facts
    assert re.search(r'\d ms to the answer', facts)


def colourful(page, *canvases):
    """What is seen of each is no single colour."""
    for canvas in canvases:
        seen = np.asarray(Image.open(BytesIO(page.locator(canvas).screenshot())).convert('RGB'))
        assert len(np.unique(seen.reshape(-1, 3), axis=0)) > 200, canvas


def picture_for_people(page, name):
    """Where PAGE_PICTURES says so."""
    folder = os.environ.get('PAGE_PICTURES')
    if folder:
        page.evaluate('() => scrollTo(0, 0)')
        page.screenshot(path=f'{folder}/{name}.png', full_page=True)


def test_a_dropped_pair_is_shown_on_a_phone(page, make_pair):
    made = make_pair()
    left, right = png(made.left), png(made.right)
    page.set_viewport_size(PHONE)
    drop(page, {'right.png': right, 'calib.txt': CALIBRATION.encode(), 'left.png': left})
    wait_for(lambda: page.input_value('[name=baseline]') == '120')
    assert compute(page) == ''
    same_values(page, answer_of(left, right, numbers_of(CALIBRATION)))
    colourful(page, '#depth', '#disparity', '#cloud')
    assert page.evaluate('() => document.documentElement.scrollWidth') <= PHONE['width']
    picture_for_people(page, 'phone')


def test_one_image_shows_relative_depth_without_a_unit(page, both, scene):
    page.check('[value=depth_estimation]')
    pick(page, **scene)
    assert compute(page) == ''
    depth = np.asarray(both.post(MONO, scene).json['depth_map'])
    assert 'larger is nearer' in page.inner_text('#depth-title')
    assert told_at(page, '#depth', depth.shape, 30, 20) == f'x 30, y 20: {depth[20, 30]:.3f}'
    assert not page.is_visible('#disparity')


def test_the_cloud_turns_until_it_is_taken(page, pair):
    page.emulate_media(reduced_motion='no-preference')
    pick(page, **pair)
    assert compute(page) == ''
    cloud = page.locator('#cloud')
    before = cloud.screenshot()
    wait_for(lambda: cloud.screenshot() != before)
    cloud.hover()
    page.mouse.down()
    taken = cloud.screenshot()
    assert cloud.screenshot() == taken
    box = cloud.bounding_box()
    page.mouse.move(box['x'] + box['width'] / 4, box['y'] + box['height'] / 4)
    assert cloud.screenshot() != taken


def test_what_the_server_refuses_is_said_in_its_words(page, pair, scene):
    pick(page, left_image=pair['left_image'], right_image=scene['image'])
    assert '160' in compute(page) and '56' in page.inner_text('#note')
    page.fill('[name=baseline]', '-1')
    assert compute(page).startswith('baseline: ')


@pytest.mark.parametrize(
    ('line', 'said'), [('cam0=[1 2]', 'cam0=[fx 0 cx'), ('baseline=far', 'baseline= and a number')]
)
def test_a_calibration_that_cannot_be_read_is_named(page, line, said):
    key = line.partition('=')[0]
    drop(page, {'calib.txt': re.sub(f'{key}=.*', line, CALIBRATION).encode()})
    page.wait_for_selector('#note.wrong')
    assert said in page.inner_text('#note') and line.partition('=')[2] in page.inner_text('#note')


def test_a_calibration_for_another_size_is_doubted(page, pair):
    pick(page, **pair)
    drop(page, {'calib.txt': CALIBRATION.replace('width=160', 'width=320').encode()})
    wait_for(lambda: page.input_value('[name=baseline]') == '120')
    assert '320x96, these have 160x96' in compute(page)
    page.fill('[name=cx]', '35')
    assert compute(page) == ''


def test_routes_that_are_off_cannot_be_picked(browser, few):
    tab = browser.new_page()
    tab.goto(f'http://127.0.0.1:{few.port}/')
    tab.wait_for_selector(READY)
    assert tab.is_disabled('[value=depth_estimation]')
    tab.close()


def test_without_webgl_the_pictures_are_there(launch, both, pair):
    without = launch('--disable-3d-apis')
    tab = without.new_page()
    tab.goto(f'http://127.0.0.1:{both.port}/')
    tab.wait_for_selector(READY)
    pick(tab, **pair)
    assert compute(tab) == ''
    assert tab.inner_text('#cloud-note').startswith('The cloud needs WebGL')
    colourful(tab, '#depth')
    without.close()


def test_the_page_takes_nothing_from_elsewhere_and_no_script_inside(both):
    answer = both.ask('GET', '/')
    assert answer.headers['content-type'] == 'text/html; charset=utf-8'
    assert "default-src 'none'; script-src 'self'" in answer.headers['content-security-policy']
    assert 'unsafe' not in answer.headers['content-security-policy']
    assert not re.search(rb'<script(?![^>]* src=)|\bon\w+=|style=', answer.body)
    for file, kind in [('page.js', 'javascript'), ('page.css', 'css'), ('icon.svg', 'svg+xml')]:
        part = both.ask('GET', f'/page/{file}')
        assert part.status == 200 and kind in part.headers['content-type']
