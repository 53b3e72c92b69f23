// SPDX-License-Identifier: Apache-2.0
// Reads a Middlebury calib.txt, as the command line does, into the fields of the form.

const COMMENT = /\s*(#|\/\/|%).*/;
const UNIT = /\s*(\(.*\)|mm|px|pixels?|millimet(er|re)s?)$/;
const ROW = /[;\s,\]]+/;

/** Fields of the form by name, and size: [width, height]. Throws an Error that says what is wrong. */
export function readCalibration(text) {
  const values = new Map(text.replace(/^\uFEFF/, '').split(/\r?\n/).map(keyAndValue));
  const left = camera(values, 'cam0');
  const doffs = values.has('doffs')
    ? number(values.get('doffs'), 'doffs') : camera(values, 'cam1').cx - left.cx;
  const { fx, fy, cx, cy } = left;
  const baseline = number(values.get('baseline'), 'baseline');
  const size = ['width', 'height'].map((key) => number(values.get(key), key));
  return { focal_length: fx, fy, cx, cy, baseline, doffs, size };
}

function keyAndValue(line) {
  const [key, ...value] = line.replace(COMMENT, '').split('=');
  return [key.trim(), value.join('=').trim().replace(UNIT, '')];
}

function camera(values, key) {
  const [matrix] = /^\[[^\]]*\]/.exec(values.get(key) ?? '') ?? [''];
  const cells = matrix.slice(1).split(ROW).filter(Boolean).map(Number);
  if (cells.length !== 9 || cells.some(Number.isNaN)) {
    throw new Error(`calib.txt: expected ${key}=[fx 0 cx; 0 fy cy; 0 0 1], got ${values.get(key) || 'none'}`);
  }
  return { fx: cells[0], cx: cells[2], fy: cells[4], cy: cells[5] };
}

function number(text, key) {
  const value = Number(text || NaN);
  if (Number.isNaN(value)) throw new Error(`calib.txt: expected ${key}= and a number, got ${text || 'none'}`);
  return value;
}
