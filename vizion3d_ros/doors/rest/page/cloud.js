// SPDX-License-Identifier: Apache-2.0
// The point cloud, turning slowly until somebody takes hold of it.

import { PerspectiveCamera, Points, PointsMaterial, Scene, WebGLRenderer } from './three/three.module.min.js';
import { OrbitControls } from './three/OrbitControls.js';
import { PLYLoader } from './three/PLYLoader.js';

const VIEW_DEG = 50;
const SWAY_RAD = 0.35;
const SWAY_S = 10;

let shown; // what the canvas shows: one renderer for all clouds

/** Show a PLY file (OpenGL axes); gives the number of points. Throws where there is no WebGL. */
export function showCloud(canvas, file) {
  shown ??= makeView(canvas);
  const points = shown.points;
  points.geometry.dispose();
  points.geometry = new PLYLoader().parse(file.buffer);
  const count = points.geometry.getAttribute('position').count;
  if (count) lookAt(points.geometry);
  return count;
}

function makeView(canvas) {
  const renderer = new WebGLRenderer({ canvas, antialias: true });
  const camera = new PerspectiveCamera(VIEW_DEG, 1, 0.01, 1e5);
  const controls = new OrbitControls(camera, canvas);
  const points = new Points(undefined, new PointsMaterial({ size: 2, sizeAttenuation: false, vertexColors: true }));
  const scene = new Scene();
  scene.add(points);
  const view = { renderer, camera, controls, points, scene, canvas, held: false, began: 0 };
  controls.addEventListener('start', () => { view.held = true; });
  renderer.setPixelRatio(devicePixelRatio);
  renderer.setAnimationLoop((now_ms) => draw(view, now_ms / 1000));
  return view;
}

/** From where the camera stood, so that the middle of the points is what it turns about. */
function lookAt(geometry) {
  const { camera, controls } = shown;
  const depths = geometry.getAttribute('position').array.filter((_, index) => index % 3 === 2).sort();
  const middle = depths[depths.length >> 1];
  camera.position.set(0, 0, 0);
  controls.target.set(0, 0, middle);
  controls.update();
  shown.held = false;
  shown.began = performance.now() / 1000;
  shown.distance = -middle;
}

function draw(view, now) {
  const { renderer, camera, controls, scene, canvas } = view;
  const { clientWidth: width, clientHeight: height } = canvas;
  if (!width || document.hidden) return;
  renderer.setSize(width, height, false);
  camera.aspect = width / height;
  camera.updateProjectionMatrix();
  if (!view.held) sway(view, SWAY_RAD * Math.sin((2 * Math.PI * (now - view.began)) / SWAY_S));
  controls.update();
  renderer.render(scene, camera);
}

function sway({ camera, controls, distance }, angle) {
  camera.position.set(distance * Math.sin(angle), 0, controls.target.z + distance * Math.cos(angle));
}
