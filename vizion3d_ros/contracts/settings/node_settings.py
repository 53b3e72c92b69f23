# SPDX-License-Identifier: Apache-2.0
"""
Settings that every node has, with default, range and meaning. Parameters are declared from these.

Groups become dotted parameter names (`points.max_range`). A field marked `FIXED` is read once at
start; all others take effect with the next frame.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from vizion3d_ros.contracts.base import Contract

FIXED: dict[str, Any] = {'fixed': True}
LEAST_VOXEL = 0.001  # metres


class NetworkSettings(Contract):
    """Which file a network is loaded from."""

    MODEL: ClassVar[str] = 'model_backend'
    """The setting that names the file."""

    sha256: str = Field(
        '',
        pattern=r'^([0-9a-fA-F]{64})?$',
        description='What the checkpoint must have; empty = any',
    )

    @property
    def checkpoint(self) -> str:
        """The file: a known name, an https address, or a path."""
        name: str = getattr(self, self.MODEL)
        return name


class TorchSettings(NetworkSettings):
    """How a network of our own is loaded and run."""

    model_backend: str = Field(
        '', description='Checkpoint: a known name, an https address, or the path of a file'
    )
    precision: Literal['auto', 'float32', 'float16', 'bfloat16'] = Field(
        'auto', description='Number format of the network; auto: float16 on a GPU, else float32'
    )
    compile: Literal['off', 'graph', 'max'] = Field(
        'off',
        description='graph: replay a CUDA graph; max: torch.compile, which takes minutes at start',
    )


class DepthSettings(Contract):
    """How depth is published."""

    encoding: Literal['32FC1', '16UC1'] = Field(
        '32FC1',
        description='32FC1: metres, NaN = no measurement; 16UC1: millimetres, 0 = no measurement',
    )


class PointsSettings(Contract):
    """What goes into the point cloud."""

    organized: bool = Field(
        True, description='Keep the image layout with NaN points; false = valid points only'
    )
    layout: Literal['packed', 'pcl'] = Field(
        'packed',
        description='Bytes of a point: packed has 16, rgb behind x, y, z; pcl has 32, padded as '
        'pcl::PointXYZRGB and stereo_image_proc',
    )
    uncertainty: bool = Field(
        False,
        description='Add the field uncertainty behind rgb: one standard deviation of z in metres, '
        'NaN where nobody knows it',
    )
    voxel_size: float = Field(
        0.0,
        ge=0.0,
        le=100.0,
        description='One mean point for each cube of this many metres, not organized; 0 = all, '
        'else at least 0.001',
    )
    decimation: int = Field(1, ge=1, le=64, description='Keep every n-th pixel of both axes')
    max_range: float = Field(
        0.0,
        ge=0.0,
        le=10000.0,
        description='Drop points from this depth in metres on; 0 = keep',
    )
    min_confidence: float = Field(
        0.1,
        ge=0.0,
        le=1.0,
        description='Drop points of lower confidence; pixels that were filled have 0.05',
    )
    min_visibility: float = Field(
        0.0,
        ge=0.0,
        le=1.0,
        description='Drop points of lower visibility (stereo: seen by one camera only)',
    )
    max_rate: float = Field(
        0.0, ge=0.0, le=1000.0, description='Most clouds per second; 0 = one per frame'
    )

    @model_validator(mode='after')
    def _voxels_of_some_size(self) -> Self:
        if 0 < self.voxel_size < LEAST_VOXEL:
            raise ValueError(
                f'voxel_size must be 0 (off) or at least {LEAST_VOXEL}, got {self.voxel_size}'
            )
        return self


class RequestSettings(Contract):
    """What service requests may ask for."""

    max_pixels: int = Field(
        16_000_000,
        ge=1024,
        le=178_000_000,  # what Pillow refuses as a decompression bomb
        description='Largest image of a request, or compressed one of a camera, in pixels',
    )
    max_bytes: int = Field(
        64 * 2**20,
        ge=1024,
        le=2**31 - 1,
        description='Largest encoded image of a request or a camera, in bytes',
    )
    allowed_input_dirs: list[str] = Field(
        [''], description='Folders whose images requests may name by path; empty = none'
    )
    allowed_models: list[str] = Field(
        [''],
        description='Checkpoints that requests may choose: names, addresses, files, or folders '
        'of files; empty = only the one of the node',
    )
    snapshot_dirs: list[str] = Field(
        [''],
        description='Folders that ~/save_snapshot may write to, the default first; empty = none',
    )


class DiagnosticUpdaterSettings(Contract):
    """How the state is reported; names and defaults are those of diagnostic_updater."""

    period: float = Field(
        1.0, ge=0.1, le=3600.0, description='Seconds between two reports on /diagnostics'
    )
    use_fqn: bool = Field(
        False,
        description='Start the names of reports with the namespace of the node, for several alike',
    )


NearDepth = Annotated[float, Field(ge=0.01, le=1000.0)]
FarDepth = Annotated[float, Field(ge=0.02, le=10000.0)]


class CommonSettings(Contract):
    """What every node that answers requests has, with camera topics or without."""

    device: str = Field(
        'auto',
        pattern=r'^(auto|cpu|cuda(:\d+)?)$',
        description='Where networks and geometry run: auto, cpu, cuda or cuda:N',
        json_schema_extra=FIXED,
    )
    min_depth: NearDepth = Field(0.1, description='Nearest depth, in metres')
    max_depth: FarDepth = Field(50.0, description='Farthest depth, in metres')
    requests: RequestSettings = RequestSettings()
    diagnostic_updater: DiagnosticUpdaterSettings = DiagnosticUpdaterSettings()
    mono16_bits: int = Field(
        16, ge=8, le=16, description='Significant bits of 16-bit images: 10 or 12 for many cameras'
    )
    frame_id_override: str = Field(
        '', description='frame_id of all that comes out; empty = that of the image'
    )
    backend_timeout: float = Field(
        30.0,
        ge=0.1,
        le=3600.0,
        description='Seconds that one image may take, loading apart, before the log says so',
    )

    @property
    def networks(self) -> dict[str, NetworkSettings]:
        """The networks that can be chosen, by the name of their backend."""
        fields = type(self).model_fields
        groups = {name: getattr(self, name) for name in fields}
        return {name: each for name, each in groups.items() if isinstance(each, NetworkSettings)}

    @property
    def chosen(self) -> frozenset[str]:
        """The names of the networks that are in use, and of matchers without one."""
        return frozenset()

    @model_validator(mode='after')
    def _ordered_depths(self) -> Self:
        if self.max_depth <= self.min_depth:
            raise ValueError(
                'max_depth must be larger than min_depth, '
                f'got min_depth {self.min_depth} and max_depth {self.max_depth}'
            )
        return self


class StreamSettings(CommonSettings):
    """What every node has that makes topics of topics."""

    backend: str = Field(description='The matcher or network')
    lazy: bool = Field(True, description='Work only while somebody listens to an output')
    autostart: bool = Field(
        True,
        description='Configure and activate at start; false = wait for a lifecycle manager',
        json_schema_extra=FIXED,
    )

    @property
    def chosen(self) -> frozenset[str]:
        """The backend."""
        return frozenset({self.backend})

    @property
    def checkpoint(self) -> str:
        """What the backend loads, '' for one without weights."""
        network = self.networks.get(self.backend)
        return network.checkpoint if network else ''

    @property
    def loaded(self) -> dict[str, Any]:
        """The settings by which something has to be loaded: the backend and its network."""
        network = self.networks.get(self.backend)
        return {'backend': self.backend} | ({self.backend: network} if network else {})

    @property
    def cloud_period(self) -> float:
        """Seconds between two clouds at least; 0 = one per frame."""
        return 0.0


class NodeSettings(StreamSettings):
    """What the stereo and the mono node have in common."""

    depth: DepthSettings = DepthSettings()
    points: PointsSettings = PointsSettings()
    image_transport: Literal['raw', 'compressed'] = Field(
        'raw',
        description='raw: Image on the topics of the images; compressed: CompressedImage (JPEG, '
        'PNG) on the same names with /compressed behind',
        json_schema_extra=FIXED,
    )
    rectify: bool = Field(
        False,
        description='Undistort and rectify incoming raw images by K, D, R and P of camera_info',
    )

    @property
    def cloud_period(self) -> float:
        """Seconds between two clouds at least; 0 = one per frame."""
        return 1 / self.points.max_rate if self.points.max_rate else 0.0
