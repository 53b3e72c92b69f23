# SPDX-License-Identifier: Apache-2.0
"""Whatever a service is asked: a response, or an error of ours, within the declared memory."""

from array import array

import cv2
import numpy as np
import pytest
from allocation import at_most
from builtin_interfaces.msg import Time
from encoded import png
from hypothesis import given
from hypothesis import strategies as st
from outcomes import accepted, both_ways, refused
from pydantic import ValidationError
from sensor_msgs.msg import Image

from vizion3d_interfaces.msg import StereoDepthAdvancedConfig
from vizion3d_interfaces.srv import RunStereoDepth
from vizion3d_ros.contracts.errors import DepthError, InputError
from vizion3d_ros.contracts.settings.node_settings import RequestSettings
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.contracts.stereo_request import StereoDepthCommand
from vizion3d_ros.files.picture import PictureLimits, decode_picture
from vizion3d_ros.pipeline.stereo import StereoPipeline
from vizion3d_ros.requests.pipelines import ServicePipelines
from vizion3d_ros.ros.serving.depth_services import StereoService

pytestmark = pytest.mark.ros

WIDTH, HEIGHT = 48, 32
PIXELS = np.random.default_rng(3).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
FILES = [png(PIXELS), bytes(cv2.imencode('.jpg', PIXELS)[1]), png(PIXELS[..., 0])]
LIMITS = PictureLimits(max_pixels=10_000, max_bytes=100_000)
REQUESTS = RequestSettings(max_pixels=10_000, max_bytes=100_000)


@st.composite
def damaged_files(draw):
    """A picture some of whose bytes are others, and which may be cut off or go on."""
    content = bytearray(draw(st.sampled_from(FILES)))
    for place, value in draw(
        st.lists(st.tuples(st.integers(0, 60) | st.integers(0, 2**16), st.integers(0, 255)))
    ):
        content[place % len(content)] = value
    return bytes(content[: draw(st.integers(0, len(content)) | st.none())])


@both_ways
@given(damaged_files() | st.binary(max_size=300))
def test_an_encoded_image_is_decoded_or_refused_within_its_limits(content):
    with at_most(40 * LIMITS.max_pixels + 2_000_000):
        try:
            pixels = decode_picture(content, 'left_image', LIMITS)
        except InputError as error:
            assert str(error).startswith('left_image')
            return refused(error)
    assert pixels.dtype == np.uint8
    assert pixels.shape[0] * pixels.shape[1] <= LIMITS.max_pixels
    accepted()


configs = st.dictionaries(
    st.sampled_from(list(StereoDepthAdvancedConfig.get_fields_and_field_types())),
    st.sampled_from([0.0, 1.0, 100.0, 0.25]) | st.floats(),
    max_size=2,
).map(lambda changes: StereoDepthAdvancedConfig(**changes))
messages = st.builds(
    lambda data, **fields: Image(data=array('B', data), **fields),
    data=st.just(PIXELS.tobytes()) | st.binary(max_size=100),
    height=st.just(HEIGHT) | st.integers(0, 2**32 - 1),
    width=st.just(WIDTH) | st.integers(0, 2**32 - 1),
    step=st.just(3 * WIDTH) | st.integers(0, 2**32 - 1),
    encoding=st.sampled_from(['rgb8', 'mono8', 'mono16', 'rgb16']) | st.text(max_size=8),
)
good = st.sampled_from(FILES).map(lambda content: {'_bytes': array('B', content)})
ways = (
    good
    | good
    | st.sampled_from(FILES).map(lambda content: {'_bytes': array('B', content)})
    | damaged_files().map(lambda content: {'_bytes': array('B', content)})
    | messages.map(lambda message: {'': message})
    | st.text(max_size=20).map(lambda path: {'_path': path})
    | st.just({})
)
models = st.sampled_from(['', 'opencv-sgbm', '', 's2m2-S', '/etc/passwd']) | st.text(max_size=20)


@pytest.fixture(scope='module')
def service():
    settings = StereoSettings(backend='sgbm', requests=REQUESTS)
    pipelines = ServicePipelines(StereoPipeline('cpu'))
    return StereoService(pipelines, lambda: settings, Time, lambda: None)


@both_ways
@given(left=ways, right=ways, model=models, config=configs, cloud=st.booleans())
def test_a_stereo_request_is_answered_or_refused(service, left, right, model, config, cloud):
    images = {f'left_image{way}': given for way, given in left.items()}
    images |= {f'right_image{way}': given for way, given in right.items()}
    request = RunStereoDepth.Request(
        **images, model_backend=model, return_point_cloud=cloud, advanced_config=config
    )
    try:
        response = service(request)
    except (DepthError, ValidationError) as error:
        return refused(error)
    assert response.success
    assert response.depth_map.width * response.depth_map.height <= LIMITS.max_pixels
    accepted()


values = (
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9) | st.binary()
)
fields = st.sampled_from([*StereoDepthCommand.model_fields, 'focal_length', 'baseline', 'other'])


@given(st.dictionaries(fields, values | st.dictionaries(fields, values, max_size=3), max_size=6))
def test_a_command_is_valid_or_refused_by_name(content):
    try:
        command = StereoDepthCommand(**content)
    except ValidationError as error:
        assert error.error_count() > 0
    else:
        assert command.advanced_config.baseline > 0
