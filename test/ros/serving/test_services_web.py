# SPDX-License-Identifier: Apache-2.0
"""One pair by every way there is, and one node that answers ROS, REST and gRPC at once."""

import signal
import socket
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor

import cv2
import grpc
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from encoded import png, read_ply
from grpc_client import channel_to, numbers, refused, stereo_message, stub_of
from harness import SCENE
from rest_client import STEREO, RestClient
from robots import SERVICE_NODE
from scene import BASELINE_M, FOCAL_PX, HEIGHT, WIDTH, pixels_of, textured_pair
from service_calls import cloud, stereo_request, values
from stereo_msgs.msg import DisparityImage

from vizion3d_interfaces.srv import RunStereoDepth
from vizion3d_ros.cli.main import main
from vizion3d_ros.stereo import StereoDepth, StereoDepthAdvancedConfig, StereoDepthCommand

pytestmark = pytest.mark.ros

PAIR = {f'{side}_image': png(grey) for side, grey in SCENE.items()}
CONFIG = {
    'focal_length': FOCAL_PX,
    'baseline': 1000 * BASELINE_M,
    'cx': (WIDTH - 1) / 2,
    'cy': (HEIGHT - 1) / 2,
}
SLOW = dict(zip(PAIR, map(png, textured_pair(2000, 150))))
SLOWLY = {'sgbm__sgbm_mode': 'hh', 'sgbm__disparity_range': 1984}
LACKING = "raise ModuleNotFoundError('No module named grpc_health')"
CALLERS = 3  # by each door


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as probe:
        return probe.getsockname()[1]


@pytest.fixture(scope='module')
def ports():
    return {'rest': free_port(), 'grpc': free_port()}


@pytest.fixture(scope='module')
def taken():
    """A server of somebody else's."""
    with socket.create_server(('127.0.0.1', 0)) as other:
        yield other


@pytest.fixture(scope='module')
def nodes(start_node, ports, taken, tmp_path_factory):
    """Nodes that start together; one finds a port taken and a module missing."""
    device = {'device': 'cpu'}
    web = {f'{door}.port': port for door, port in ports.items()}
    odd = {'rest.port': taken.getsockname()[1], 'grpc.port': free_port()}
    shadows = tmp_path_factory.mktemp('shadows')
    (shadows / 'grpc_health.py').write_text(LACKING)
    nodes = {
        '/web': start_node('/web', {**device, **web}, program=SERVICE_NODE),
        '/camera': start_node('/camera', {**device, 'lazy': 'false'}),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('PYTHONPATH', str(shadows))
        nodes['/odd'] = start_node('/odd', {**device, **odd}, program=SERVICE_NODE)
    return nodes


@pytest.fixture(scope='module')
def rest(nodes, ports):
    nodes['/web'].wait_for_line('listening on http://127.0.0.1:', str(ports['rest']))
    return RestClient(ports['rest'])


@pytest.fixture(scope='module')
def stub(nodes, ports):
    nodes['/web'].wait_for_line('listening on 127.0.0.1:', str(ports['grpc']))
    with channel_to(ports['grpc']) as channel:
        yield stub_of(channel)


@pytest.fixture(scope='module')
def by_python():
    config = StereoDepthAdvancedConfig(**CONFIG)
    return StereoDepth('cpu').run(
        StereoDepthCommand(
            **PAIR,
            model_backend='opencv-sgbm',
            return_point_cloud=True,
            advanced_config=config,
        )
    )


def same_maps(depth, disparity, expected):
    np.testing.assert_array_equal(depth, expected.depth)
    np.testing.assert_array_equal(disparity, expected.disparity)


def same_points(ply, expected):
    xyz, rgb = read_ply(ply)
    np.testing.assert_array_equal(xyz, expected.points[:, :3] * [1, -1, -1])
    np.testing.assert_array_equal(rgb, expected.points[:, 3:].view(np.uint8)[:, 2::-1])


def test_topics_bring_what_the_python_api_gives(meet, by_python):
    _, robot = meet('/camera')
    heard = robot.listen_to({'depth/image': type(robot).INPUTS['left/image_rect']})
    heard |= robot.listen_to({'disparity': DisparityImage})
    came = robot.ask_all(heard)
    disparity = pixels_of(came['disparity'].image)
    found = disparity >= came['disparity'].min_disparity
    depth = np.nan_to_num(pixels_of(came['depth/image']), nan=0.0)
    assert found.mean() > 0.5
    same_maps(depth, np.where(found, disparity, 0), by_python)


def test_the_service_brings_what_the_python_api_gives(meet, by_python):
    _, robot = meet('/web')
    request = stereo_request(*PAIR.values(), CONFIG, return_point_cloud=True)
    came = robot.call(RunStereoDepth, 'run_stereo_depth', request)
    assert came.success, came.message
    same_maps(values(came.depth_map), values(came.disparity_map), by_python)
    same_points(came.point_cloud_ply, by_python)
    np.testing.assert_array_equal(cloud(came.point_cloud)[0], by_python.points[:, :3])


def test_rest_brings_what_the_python_api_gives(rest, by_python):
    answer = rest.post(STEREO, PAIR, {**CONFIG, 'return_point_cloud': 'true'})
    assert answer.status == 200, answer.body
    same_maps(
        *(np.float32(answer.json[name]) for name in ('depth_map', 'disparity_map')), by_python
    )
    same_points(b64decode(answer.json['point_cloud_ply']), by_python)


def test_grpc_brings_what_the_python_api_gives(stub, by_python):
    came = stub.RunStereoDepth(stereo_message(PAIR, CONFIG, return_point_cloud=True))
    same_maps(numbers(came.depth_map), numbers(came.disparity_map), by_python)
    same_points(came.point_cloud_ply, by_python)


def test_the_command_line_brings_what_the_python_api_gives(tmp_path, monkeypatch, by_python):
    monkeypatch.setattr('logging.basicConfig', lambda **settings: None)
    files = {name: tmp_path / f'{name}.png' for name in PAIR}
    for name, path in files.items():
        path.write_bytes(PAIR[name])
    flags = {'fx': 'focal_length', 'cx': 'cx', 'cy': 'cy', 'baseline-mm': 'baseline'}
    rig = [word for flag, name in flags.items() for word in (f'--{flag}', str(CONFIG[name]))]
    with pytest.raises(SystemExit) as ended:
        main(['stereo', *map(str, files.values()), *rig, '--out', str(tmp_path / 'out')])
    assert ended.value.code == 0
    depth = np.load(tmp_path / 'out' / 'depth.npy')
    disparity = cv2.imread(str(tmp_path / 'out' / 'disparity.pfm'), cv2.IMREAD_UNCHANGED)
    same_maps(*(np.nan_to_num(each, nan=0.0) for each in (depth, disparity)), by_python)
    same_points((tmp_path / 'out' / 'cloud.ply').read_bytes(), by_python)


def test_what_is_not_allowed_is_told_by_the_name_of_the_parameter(rest, stub):
    told = 'let the operator set requests.allowed_models'
    answer = rest.post(STEREO, PAIR, {'model_backend': '/etc/passwd'})
    assert (answer.status, told in answer.json['detail']) == (403, True)
    code, text = refused(stub.RunStereoDepth, stereo_message(PAIR, model_backend='/etc/passwd'))
    assert (code, told in text) == (grpc.StatusCode.PERMISSION_DENIED, True)


def test_a_change_of_a_parameter_holds_for_all(rest, stub, meet):
    _, robot = meet('/web')
    with robot.parameters(requests__max_pixels=2000):
        assert '2000 pixels' in rest.post(STEREO, PAIR).json['detail']
        assert '2000 pixels' in refused(stub.RunStereoDepth, stereo_message(PAIR))[1]
    assert rest.post(STEREO, PAIR).status == 200


def test_it_listens_where_it_was_asked_to_and_nowhere_else(nodes, ports, rest, stub):
    assert nodes['/web'].listening() == {*ports.values()}


def test_diagnostics_say_where_the_doors_are(rest, stub, ports, meet):
    _, robot = meet('/web')
    status = robot.status('web')
    said = {item.key: item.value for item in status.values}
    assert status.level == DiagnosticStatus.OK
    assert said == {
        'rest': f'http://127.0.0.1:{ports["rest"]}',
        'grpc': f'127.0.0.1:{ports["grpc"]}',
    }


def test_a_door_that_cannot_be_opened_is_told_once_and_tried_again(meet, taken):
    node, robot = meet('/odd')
    address = '{}:{}'.format(*taken.getsockname())
    node.wait_for_line('[ERROR]', f'rest.port: cannot listen on {address}: ')
    lacking = node.wait_for_line('[ERROR]', 'grpc.port: No module named grpc_health; ')
    assert lacking.endswith('python3 -m pip install "vizion3d_ros[grpc]"')
    status = robot.status('web', lambda status, _: status.level == DiagnosticStatus.ERROR)
    assert 'rest.port: ' in status.message and 'grpc.port: ' in status.message
    request = stereo_request(*PAIR.values(), CONFIG)
    assert robot.call(RunStereoDepth, 'run_stereo_depth', request).success
    taken.close()
    node.wait_for_line(f'listening on http://{address}')
    assert RestClient(int(address.rpartition(':')[2])).post(STEREO, PAIR).status == 200
    assert len(node.lines('[ERROR]')) == 2, node.output
    node.signal(signal.SIGTERM)
    assert node.wait_for_exit(3.0) == 0


def test_who_was_accepted_is_answered_when_the_node_ends(nodes, meet, rest, stub):
    _, robot = meet('/web')
    slowly = {name.replace('__', '.'): value for name, value in SLOWLY.items()}
    assert robot.set_parameters(slowly).successful
    with ThreadPoolExecutor(2 * CALLERS) as callers:
        calls = [stub.RunStereoDepth.future(stereo_message(SLOW)) for _ in range(CALLERS)]
        posts = [callers.submit(rest.post, STEREO, SLOW) for _ in range(CALLERS)]
        robot.wait_for(lambda: rest.on_their_way() == 2 * CALLERS, what='all of them')
        nodes['/web'].end(signal.SIGINT)
        answers = [post.result() for post in posts]
        codes = {call.code(): call.details() for call in calls}
    waited = [answer for answer in answers if answer.status != 200]
    assert len(waited) >= CALLERS - 1
    assert {answer.status for answer in waited} <= {503}
    assert all('shutting down' in answer.json['detail'] for answer in waited)
    assert 'shutting down' in codes.pop(grpc.StatusCode.UNAVAILABLE)
    assert {*codes} <= {grpc.StatusCode.OK}
