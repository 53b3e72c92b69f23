# SPDX-License-Identifier: Apache-2.0
from launch.substitutions import Substitution

class FindPackageShare(Substitution):
    def __init__(self, package: str) -> None: ...
