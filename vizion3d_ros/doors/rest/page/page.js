// SPDX-License-Identifier: Apache-2.0
// The page: a form that asks the server, and what it answers.

import { readCalibration } from './calibration.js';
import { bytes, drawMap, drawScale, readMap, valueAt } from './maps.js';

const ROUTES = {
  stereo_depth: 'lifting/stereo-depth?maps=npy',
  depth_estimation: 'lifting/depth-estimation?maps=npy',
};
const element = (id) => document.getElementById(id);
const form = element('form');
let shown = {}; // the maps under the pointer: {depth, disparity, unit}
let calibrated; // [width, height] of calib.txt, as long as its numbers stand in the fields

async function start() {
  const [health, models] = await Promise.all(['health', 'models'].map(async (path) => (await fetch(path)).json()));
  element('server').textContent = `computes on ${health.device}`;
  for (const choice of form.kind) choice.disabled = !health.features.includes(choice.value);
  if (form.querySelector('[name=kind]:checked').disabled) form.kind.value = health.features[0];
  element('from').hidden = health.features.length === 1;
  form.addEventListener('change', (event) => { if (event.target.name === 'kind') choose(models); });
  choose(models);
}

/** Show the fields of the chosen route; fields that are disabled are not sent. */
function choose(models) {
  const stereo = form.kind.value === 'stereo_depth';
  for (const part of form.querySelectorAll('.stereo, .mono')) {
    part.hidden = part.classList.contains('stereo') !== stereo;
    for (const field of part.querySelectorAll('input')) field.disabled = part.hidden;
  }
  const allowed = models.allowed.filter(({ name }) => stereo || name !== 'opencv-sgbm');
  const usual = new Option(`${models.default[form.kind.value].name} (default)`, '');
  form.model_backend.replaceChildren(usual, ...allowed.map(({ name }) => new Option(name, name)));
}

function tell(text, wrong = false) {
  element('note').textContent = text;
  element('note').classList.toggle('wrong', wrong);
}

async function fillIn(file) {
  try {
    const { size, ...fields } = readCalibration(await file.text());
    for (const [name, value] of Object.entries(fields)) {
      element('calibration').querySelector(`[name=${name}]`).value = value;
    }
    calibrated = size;
    tell(`calibration from ${file.name}`);
  } catch (error) {
    tell(error.message, true);
  }
}

async function compute(event) {
  event.preventDefault();
  element('compute').disabled = true;
  tell('computing …');
  try {
    await show(await ask());
    tell(...doubt());
  } catch (error) {
    tell(error.message, true);
  } finally {
    element('compute').disabled = false;
  }
}

/** What to tell of an answer whose calibration belongs to images of another size. */
function doubt() {
  const size = [shown.depth.width, shown.depth.height];
  if (!shown.disparity || !calibrated || calibrated.join() === size.join()) return [''];
  const [ours, theirs] = [size, calibrated].map((sides) => sides.join('x'));
  return [`calib.txt is for images of ${theirs}, these have ${ours}: depths are wrong, scale its pixels`, true];
}

/** Send the form; {answer, times}. Throws an Error with the sentence of the server. */
async function ask() {
  const fields = new FormData();
  for (const [name, value] of new FormData(form)) if (value !== '' && name !== 'kind') fields.append(name, value);
  const began = performance.now();
  const response = await fetch(ROUTES[form.kind.value], { method: 'POST', body: fields })
    .catch(() => { throw new Error('the server cannot be reached: is it still running?'); });
  const answered = performance.now();
  const text = await response.text();
  const arrived = performance.now();
  const answer = JSON.parse(text);
  if (!response.ok) throw new Error(complaint(answer.detail));
  return { answer, times: { answered: answered - began, downloaded: arrived - answered, size: text.length } };
}

/** One sentence, or FastAPI's list of fields. */
function complaint(detail) {
  if (typeof detail === 'string') return detail;
  return detail.map(({ loc, msg, input }) => `${loc.at(-1)}: ${msg}, got ${input}`).join('; ');
}

async function show({ answer, times }) {
  const began = performance.now();
  const metric = answer.is_metric ?? true;
  const depth = readMap(answer.depth_map, metric);
  const disparity = answer.disparity_map && readMap(answer.disparity_map, true);
  shown = { depth, disparity, unit: metric ? 'm' : '' };
  element('answer').hidden = false;
  element('depth-title').textContent = metric ? 'Depth' : 'Inverse depth, up to scale and shift: larger is nearer';
  picture('depth', depth, shown.unit, metric);
  element('disparity-figure').hidden = !disparity;
  if (disparity) picture('disparity', disparity, 'px', false);
  const drawn = performance.now();
  const points = await cloud(answer.point_cloud_ply);
  facts({ answer, times, points, drawing: drawn - began, cloud: performance.now() - drawn });
}

/** Near is red in both pictures. */
function picture(id, map, unit, reversed) {
  const canvas = element(id);
  drawMap(canvas, map, reversed);
  const [low, bar, high] = canvas.nextElementSibling.children;
  drawScale(bar, reversed);
  [low.textContent, high.textContent] = map.measured ? [map.low, map.high].map((end) => written(end, unit)) : ['', ''];
}

/** The number of points; null without a cloud. */
async function cloud(ply) {
  element('cloud-figure').hidden = !ply;
  element('cloud-note').textContent = '';
  if (!ply) return null;
  try {
    const { showCloud } = await import('./cloud.js');
    return showCloud(element('cloud'), bytes(ply), shown.depth.width);
  } catch (error) {
    element('cloud-note').textContent = `The cloud needs WebGL, which does not work in this browser: ${error.message}`;
    return null;
  }
}

function facts({ answer, times, points, drawing, cloud }) {
  const { depth, disparity, unit } = shown;
  const share = Math.round((100 * depth.measured) / depth.values.length);
  const rows = {
    Depth: depth.measured
      ? `${written(answer.min_depth, unit)} to ${written(answer.max_depth, unit)}, ${share} % measured`
      : 'not measured anywhere',
    Disparity: disparity?.measured ? `${written(disparity.min, 'px')} to ${written(disparity.max, 'px')}` : null,
    Note: answer.message,
    Size: `${depth.width}x${depth.height}`,
    Points: points?.toLocaleString('en'),
    Network: answer.backend_used,
    Times: `${whole(times.answered)} ms to the answer, ${whole(times.downloaded)} ms to download it `
      + `(${(times.size / 1e6).toFixed(1)} MB), ${whole(drawing)} ms to draw it`
      + (points ? `, ${whole(cloud)} ms for the cloud` : ''),
  };
  const filled = Object.entries(rows).filter(([, text]) => text);
  element('facts').replaceChildren(...filled.flatMap(([name, text]) => [made('dt', name), made('dd', text)]));
}

function made(kind, text) {
  const node = document.createElement(kind);
  node.textContent = text;
  return node;
}

const whole = (number) => Math.round(number).toString();
const written = (value, unit) => `${value.toFixed(unit === 'px' ? 2 : 3)} ${unit}`.trim();

/** Both values of the pixel under the pointer. */
function point(event) {
  const { depth, disparity, unit } = shown;
  const box = event.target.getBoundingClientRect();
  const x = Math.floor(((event.clientX - box.left) / box.width) * depth.width);
  const y = Math.floor(((event.clientY - box.top) / box.height) * depth.height);
  if (x < 0 || y < 0 || x >= depth.width || y >= depth.height) return;
  const told = [[depth, unit], [disparity, 'px']].filter(([map]) => map).map(([map, of]) => {
    const value = valueAt(map, x, y);
    return value === undefined ? 'not measured' : written(value, of);
  });
  element('value').textContent = `x ${x}, y ${y}: ${[...new Set(told)].join(', ')}`;
}

/** Files dropped anywhere: a text is the calibration, images fill the fields by their names. */
function take(event) {
  event.preventDefault();
  const files = [...event.dataTransfer.files];
  const texts = files.filter(({ name }) => name.endsWith('.txt'));
  const images = files.filter((file) => !texts.includes(file)).sort((a, b) => a.name.localeCompare(b.name));
  for (const text of texts) fillIn(text);
  const fields = [...element('images').querySelectorAll('input:enabled')];
  const free = images.length < fields.length ? fields.filter((field) => !field.files.length) : fields;
  images.slice(0, free.length).forEach((image, index) => {
    const one = new DataTransfer();
    one.items.add(image);
    free[index].files = one.files;
  });
}

form.addEventListener('submit', compute);
element('calibration').addEventListener('input', () => { calibrated = undefined; });
element('calib').addEventListener('change', ({ target }) => fillIn(target.files[0]));
for (const id of ['depth', 'disparity']) {
  for (const kind of ['pointermove', 'pointerdown']) element(id).addEventListener(kind, point);
}
document.addEventListener('dragover', (event) => { if (event.target.type !== 'file') event.preventDefault(); });
document.addEventListener('drop', (event) => { if (event.target.type !== 'file') take(event); });
start().catch(() => tell('the server cannot be reached: is it still running?', true));
