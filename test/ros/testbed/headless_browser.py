# SPDX-License-Identifier: Apache-2.0
"""Chromium without a screen, told what to do through the pipe of its developer tools."""

import base64
import json
import subprocess

FLAGS = ['--headless=new', '--no-sandbox', '--no-first-run', '--remote-debugging-pipe']
WITHOUT_A_GPU = [
    '--use-angle=swiftshader',
    '--enable-unsafe-swiftshader',
    '--ignore-gpu-blocklist',
]
IN_PIPE = 'exec "$@" 3<&0 4>&1 </dev/null >/dev/null'  # 3 and 4 are where it has its pipe


class HeadlessBrowser:
    """
    One page, in real time.

    --screenshot of its command line is taken when a page says it is loaded, which one that
    fetches a program does long before there is anything to see.
    """

    def __init__(self, program, folder, address, size=(1400, 900)):
        window = '--window-size={},{}'.format(*size)
        command = [program, *FLAGS, *WITHOUT_A_GPU, window, f'--user-data-dir={folder}']
        self._process = subprocess.Popen(
            ['sh', '-c', IN_PIPE, 'sh', *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._number, self._session = 0, {}
        page = self._ask('Target.createTarget', url=address)['targetId']
        attached = self._ask('Target.attachToTarget', targetId=page, flatten=True)
        self._session = {'sessionId': attached['sessionId']}

    def screenshot(self):
        """What it shows now, as PNG."""
        return base64.b64decode(self._ask('Page.captureScreenshot')['data'])

    def close(self):
        """End it."""
        self._process.kill()
        self._process.communicate()

    def _ask(self, method, **params):
        self._number += 1
        message = {'id': self._number, 'method': method, 'params': params, **self._session}
        self._process.stdin.write(json.dumps(message).encode() + b'\0')
        self._process.stdin.flush()
        while (answer := json.loads(self._line())).get('id') != self._number:
            pass  # an event
        return answer['result']

    def _line(self):
        read = bytearray()
        while (byte := self._process.stdout.read(1)) != b'\0':
            if not byte:
                raise EOFError('the browser has ended')
            read += byte
        return bytes(read)
