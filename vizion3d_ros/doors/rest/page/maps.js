// SPDX-License-Identifier: Apache-2.0
// Maps as the server sends them, and as pictures.

// OpenCV's TURBO, low to high.
const TURBO = ['#30123b', '#434eba', '#4685fa', '#28bceb', '#1ae4b6', '#55fa76', '#a4fc3c',
  '#d9e436', '#faba39', '#fb8122', '#e5470b', '#b91e02', '#7a0403'];
const STEPS = 256;
const CUT = 0.02; // share of pixels beyond each end of the colours
const SAMPLES = 10000;

/** Bytes of a base64 text. */
export function bytes(text) {
  const letters = atob(text);
  const data = new Uint8Array(letters.length);
  for (let index = 0; index < data.length; index += 1) data[index] = letters.charCodeAt(index);
  return data;
}

/** {width, height, values, range} of a .npy file of little-endian float32, [H][W]; 0 = not measured. */
export function readMap(text, zeroMeansNone) {
  const file = bytes(text);
  const begin = 10 + new DataView(file.buffer).getUint16(8, true); // version 1
  const head = new TextDecoder('latin1').decode(file.subarray(10, begin));
  const [, height, width] = /\((\d+), (\d+)\)/.exec(head).map(Number);
  if (!head.includes("'<f4'")) throw new Error(`expected a map of float32, got ${head}`);
  const values = new Float32Array(file.buffer.slice(begin));
  const measured = zeroMeansNone ? values.filter((value) => value !== 0) : values;
  return { width, height, values, zeroMeansNone, measured: measured.length, ...extent(measured) };
}

function extent(measured) {
  let min = Infinity, max = -Infinity;
  for (const value of measured) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const step = Math.max(1, Math.floor(measured.length / SAMPLES));
  const sample = measured.filter((_, index) => index % step === 0).sort();
  const at = (share) => sample[Math.round(share * (sample.length - 1))];
  return { min, max, low: at(CUT), high: at(1 - CUT) };
}

/** The value at a pixel; undefined where nothing was measured. */
export function valueAt(map, x, y) {
  const value = map.values[y * map.width + x];
  return map.zeroMeansNone && value === 0 ? undefined : value;
}

/** Draw a map with its colours from low to high; black: not measured. */
export function drawMap(canvas, map, reversed) {
  canvas.width = map.width;
  canvas.height = map.height;
  const colours = ramp(reversed);
  const pixels = new Uint32Array(map.values.length);
  const steps = (STEPS - 1) / (map.high - map.low || 1);
  map.values.forEach((value, index) => {
    const step = Math.max(0, Math.min(STEPS - 1, Math.round((value - map.low) * steps)));
    pixels[index] = map.zeroMeansNone && value === 0 ? 0 : colours[step];
  });
  const picture = new ImageData(new Uint8ClampedArray(pixels.buffer), map.width, map.height);
  canvas.getContext('2d').putImageData(picture, 0, 0);
}

/** Draw the bar of the colours. */
export function drawScale(canvas, reversed) {
  canvas.width = STEPS;
  canvas.height = 1;
  const picture = new ImageData(new Uint8ClampedArray(ramp(reversed).buffer), STEPS, 1);
  canvas.getContext('2d').putImageData(picture, 0, 0);
}

function ramp(reversed) {
  const canvas = document.createElement('canvas');
  canvas.width = STEPS;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const gradient = context.createLinearGradient(0, 0, STEPS, 0);
  const colours = reversed ? [...TURBO].reverse() : TURBO;
  colours.forEach((colour, index) => gradient.addColorStop(index / (colours.length - 1), colour));
  context.fillStyle = gradient;
  context.fillRect(0, 0, STEPS, 1);
  return new Uint32Array(context.getImageData(0, 0, STEPS, 1).data.buffer);
}
