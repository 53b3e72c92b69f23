# SPDX-License-Identifier: Apache-2.0
"""Command lines of the documentation are understood by what they call."""

import re
import shlex
import sys
from types import ModuleType

import launch_stand_ins
import pytest
import yaml
from pages import PAGES, ROOT, code_blocks, prose, written_parameters

from vizion3d_ros.cli.parser.arguments import parse

COMMANDS = ('make ', 'ros2 ', 'vizion3d_depth ')


def command_lines():
    """Every command of a page that is one of ours, as words."""
    for page in PAGES:
        blocks = '\n'.join(code_blocks(page, 'bash')).replace('\\\n', ' ')
        quoted = re.findall(r'`([^`\n]+)`', prose(page))
        for line in [*blocks.splitlines(), *quoted]:
            words = line.partition(' #')[0]
            if words.startswith(COMMANDS) and '<' not in words:
                yield page.name, shlex.split(words)


def commands_of(program, *first):
    found = [words for _, words in command_lines() if words[: 1 + len(first)] == [program, *first]]
    assert found
    return found


def test_targets_of_make_exist():
    targets = set(re.findall(r'^([a-z-]+):', (ROOT / 'Makefile').read_text(), re.MULTILINE))
    named = {word for words in commands_of('make') for word in words[1:] if word.isalpha()}
    assert named and named <= targets | {'help'}


def test_options_of_the_command_line_exist():
    for words in commands_of('vizion3d_depth'):
        assert parse(words[1:]).command == words[1]


def test_executables_of_ros2_run_exist():
    ours = re.findall(r"f'([\w-]+) = \{NAME\}", (ROOT / 'setup.py').read_text())
    assert {words[3] for words in commands_of('ros2', 'run', 'vizion3d_ros')} <= {*ours}


@pytest.fixture
def launch_arguments(monkeypatch):
    """Call it to get the names of a launch file's arguments."""
    for name, module in launch_stand_ins.stand_ins().items():
        monkeypatch.setitem(sys.modules, name, module)
    shared = 'vizion3d_ros.launching'
    monkeypatch.setitem(sys.modules, shared, ModuleType(shared))
    del sys.modules[shared]

    def names(file):
        entities = launch_stand_ins.describe(ROOT / 'launch' / file).entities
        return {entity.name for entity in entities if hasattr(entity, 'default_value')}

    return names


def test_launch_arguments_exist_and_are_documented(launch_arguments):
    for words in commands_of('ros2', 'launch', 'vizion3d_ros'):
        given = {word.partition(':=')[0] for word in words[4:] if ':=' in word}
        assert given <= launch_arguments(words[3]), words
    quickstart = (ROOT / 'docs' / 'quickstart.md').read_text()
    for file in ('stereo.launch.py', 'mono.launch.py'):
        missing = [name for name in launch_arguments(file) if f'`{name}`' not in quickstart]
        assert missing == []


def test_parameters_on_command_lines_exist():
    documented = written_parameters()
    lines = [words for words in commands_of('ros2', 'run', 'vizion3d_ros') if '-p' in words]
    assert lines
    for words in lines:
        who = words[3].removesuffix('_node')
        given = [words[i + 1].partition(':=')[0] for i, word in enumerate(words) if word == '-p']
        assert [name for name in given if (who, name) not in documented] == [], words


def test_hooks_before_a_commit_are_the_tools_of_make_check():
    hooks = yaml.safe_load((ROOT / '.pre-commit-config.yaml').read_text())['repos'][0]['hooks']
    recipe = (ROOT / 'Makefile').read_text().split('\ncheck:')[1].split('\n\n')[0]
    assert {tool(hook['entry']) for hook in hooks} == {
        tool(line) for line in recipe.splitlines() if '|| failed' in line
    }


def tool(command):
    """The program that a line of a shell calls, whether by Python or not; of ruff its task too."""
    words = re.sub(r'\S+ -m |\S*/', '', command).split()
    return ' '.join(words[: 2 if words[0] == 'ruff' else 1])
