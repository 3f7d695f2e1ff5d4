// Plays every clip of .glb files in three.js and compares where the vertices are with what our renderer's own code says:
//   npm install --prefix /tmp/three three
//   python benchmarks/other_viewers.py truth FILE.glb… > /tmp/truth.json
//   node benchmarks/three_plays.mjs /tmp/three/node_modules/three /tmp/truth.json
// One line per file and a last one; exit code 1 if a clip does not play, or a vertex is more than 0.1 mm away.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [folder, truthFile] = process.argv.slice(2);
// What a browser has and Node lacks; pictures are not decoded here.
globalThis.self = globalThis;
globalThis.createImageBitmap = async () => ({ width: 1, height: 1, close() {} });
globalThis.ProgressEvent ??= class extends Event {};

const THREE = await import(pathToFileURL(`${folder}/build/three.module.js`));
const { GLTFLoader } = await import(pathToFileURL(`${folder}/examples/jsm/loaders/GLTFLoader.js`));

const load = (file) => {
  const data = readFileSync(file);
  const buffer = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
  return new Promise((done, failed) => new GLTFLoader().parse(buffer, "", done, failed));
};

let failures = 0, clips = 0, worst = 0;
for (const { file, moments } of JSON.parse(readFileSync(truthFile))) {
  const gltf = await load(file);
  const mixer = new THREE.AnimationMixer(gltf.scene);
  const meshes = [];
  gltf.scene.traverse((node) => node.isMesh && meshes.push(node));
  const skeletons = new Set(meshes.filter((mesh) => mesh.isSkinnedMesh).map((mesh) => mesh.skeleton));
  let off = 0, moved = 0;
  const problems = [];
  for (const { clip: name, points } of moments) {
    const clip = THREE.AnimationClip.findByName(gltf.animations, name);
    if (!clip) {
      problems.push(`no clip ${name}`);
      continue;
    }
    clips += 1;
    const action = mixer.clipAction(clip);
    action.setLoop(THREE.LoopOnce).clampWhenFinished = true;
    action.play();
    let first = null;
    for (const { time, vertices } of points) {
      action.paused = false;
      action.enabled = true;
      mixer.setTime(Math.min(time, clip.duration));
      gltf.scene.updateMatrixWorld(true);
      skeletons.forEach((skeleton) => skeleton.update());
      const place = new THREE.Vector3();
      const now = vertices.map(([mesh, index, x, y, z]) => {
        meshes[mesh].getVertexPosition(index, place);
        meshes[mesh].localToWorld(place);
        off = Math.max(off, Math.hypot(place.x - x, place.y - y, place.z - z));
        return place.toArray();
      });
      first ??= now;
      moved = Math.max(moved, ...now.map((p, i) => Math.hypot(...p.map((v, k) => v - first[i][k]))));
    }
    action.stop();
  }
  if (!(off < 1e-4)) problems.push(`a vertex is ${(1000 * off).toFixed(3)} mm away`);
  if (!(moved > 1e-3)) problems.push("nothing moves");
  worst = Math.max(worst, off);
  failures += problems.length > 0;
  console.log(`${file}: ${moments.length} clips, ${(1000 * off).toFixed(4)} mm apart, moves ${(1000 * moved).toFixed(1)} mm ${problems.join("; ")}`);
}
console.log(`three.js r${THREE.REVISION}: ${clips} clips played, ${failures} files with problems, ${(1000 * worst).toFixed(4)} mm apart at most`);
process.exit(failures ? 1 : 0);
