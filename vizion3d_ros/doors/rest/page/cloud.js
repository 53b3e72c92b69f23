// SPDX-License-Identifier: Apache-2.0
// The point cloud: it turns to and fro for a while, then by hand; drawn only when something moves.

import { PerspectiveCamera, Points, PointsMaterial, Scene, WebGLRenderer } from './three/three.module.min.js';
import { OrbitControls } from './three/OrbitControls.js';
import { PLYLoader } from './three/PLYLoader.js';

const WIDEST_DEG = 100;
const SWAY_RAD = 0.35;
const SWAY_S = 8; // to and fro once
const SWAYS = matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 2;
const OVERLAP = 1.5; // of points, so that surfaces look closed

let view; // one for all clouds: browsers allow few contexts

/** Show a PLY file (OpenGL axes) of a map with so many columns; gives the number of points. */
export function showCloud(canvas, file, columns) {
  view ??= new View(canvas);
  return view.show(new PLYLoader().parse(file.buffer), columns);
}

class View {
  /** Throws where there is no WebGL. */
  constructor(canvas) {
    this.canvas = canvas;
    this.renderer = new WebGLRenderer({ canvas });
    this.renderer.setPixelRatio(devicePixelRatio);
    this.camera = new PerspectiveCamera(WIDEST_DEG, 1, 0.01, 1e5);
    this.points = new Points(undefined, new PointsMaterial({ sizeAttenuation: false, vertexColors: true }));
    this.scene = new Scene().add(this.points);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.addEventListener('start', () => this.renderer.setAnimationLoop(null));
    this.controls.addEventListener('change', () => this.draw());
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  show(geometry, columns) {
    this.points.geometry.dispose();
    this.points.geometry = geometry;
    this.points.material.size = Math.max(1, (OVERLAP * this.canvas.clientWidth) / columns);
    const { array, count } = geometry.getAttribute('position');
    this.distance = count ? -middle(array.filter((_, index) => index % 3 === 2)) : 1;
    this.camera.fov = angle(array, this.canvas.clientWidth / this.canvas.clientHeight);
    this.began = performance.now();
    this.turn(0);
    this.draw();
    this.renderer.setAnimationLoop((now) => this.sway(now));
    return count;
  }

  sway(now) {
    const periods = Math.min(SWAYS, (now - this.began) / 1000 / SWAY_S);
    if (periods === SWAYS) this.renderer.setAnimationLoop(null);
    this.turn(SWAY_RAD * Math.sin(2 * Math.PI * periods));
  }

  /** Look at the middle of the points from beside where the camera of the images stood. */
  turn(angle) {
    const { camera, controls, distance } = this;
    controls.target.set(0, 0, -distance);
    camera.position.set(distance * Math.sin(angle), 0, distance * (Math.cos(angle) - 1));
    controls.update();
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width) return;
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    this.renderer.render(this.scene, this.camera);
  }
}

/** Of a view from the origin, in degrees, in which all points are seen. */
function angle(xyz, aspect) {
  let widest = 0;
  for (let index = 0; index < xyz.length; index += 3) {
    const side = Math.max(Math.abs(xyz[index]) / aspect, Math.abs(xyz[index + 1]));
    widest = Math.max(widest, side / -xyz[index + 2]);
  }
  return Math.min(WIDEST_DEG, (360 / Math.PI) * Math.atan(widest)) || WIDEST_DEG;
}

function middle(depths) {
  return depths.sort()[depths.length >> 1];
}
