# SPDX-License-Identifier: Apache-2.0
"""What --help says each command does."""

STEREO = """\
Depth of rectified stereo pairs: two images, or a folder that is a pair or has one
in each sub-folder (left.png, right.png or im0.png, im1.png; calib.txt as Middlebury
and ETH3D have it). Writes, for each pair:
  depth.png      16 bit, millimetres, 0 = no measurement
  depth.npy      float32, metres, NaN = no measurement
  uncertainty.npy float32, metres, one standard deviation; opencv-sgbm only
  disparity.pfm  float32, pixels, x left - x right, NaN = no measurement
  cloud.ply      coloured points, metres, x right, y up, z backward
  montage.png    to look at
  result.json    what ran, with which calibration and options
Of a folder each pair gets a folder of its own in DIR; those that are whole, newer
than their images and made with the same options are skipped."""
MONO = """\
Depth of single images by Depth Anything V2: an image, or a folder of images.
A relative checkpoint writes, for each image:
  relative.npy   float32, larger = nearer; no metres
  relative.png   16 bit, brighter = nearer; no metres
  cloud.ply      coloured points, right in shape, not in size
A metric one writes depth.png, depth.npy and cloud.ply as `stereo` does. Both write
montage.png and result.json. Of a folder each image gets a folder of its own in DIR;
those that are whole, newer than their image and made with the same options are skipped."""
BAG = """\
Depth of a recorded stereo pair: a rosbag2 folder, or one of its files, mcap or sqlite3. Pairs and
calibration are those that stereo_node makes of the same topics, and so is the depth. Writes a
rosbag2 folder OUT with depth/image, depth/camera_info, disparity and points2, with the stamps of
the left images. A call that was interrupted goes on where it stopped. Needs: rosbags, by pip."""
ANNOTATE = """\
Objects in a point cloud: which points are which object. The objects are found in IMAGE,
taken by the camera of the cloud, or in a picture drawn from the cloud; or are given as
masks. Writes:
  annotated.ply     the cloud, one colour per object
  annotations.json  label, confidence, box and place of each object
  labels.npy        int32, for each point 0 = no object, k = the k-th object
  masks.png         the image with the mask of each object
  montage.png       to look at
  result.json       what ran, with which camera and options"""
RIG = """\
What a stereo rig can measure, from its data sheet: disparity f * B / Z, error of the
depth Z^2 * dd / (f * B) where a disparity is dd pixels off, nearest and farthest depth."""
EXPORT = """\
A checkpoint as an ONNX file for images of one size, for backend onnx: S2M2 (s2m2-S, -M, -L,
-XL) or Depth Anything V2, by name, https address or path. The file is compared with the
network that it was made of, and not kept if it differs by more than 0.01 pixels (of depth:
0.01 of its range). Needs vizion3d_ros[onnx]."""
