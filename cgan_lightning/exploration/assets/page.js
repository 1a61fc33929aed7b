// A generator in the browser: a joystick for two directions of z, a ring of classes. page.py writes the files used here.
import * as ort from "./ort.wasm.bundle.min.mjs";
import { readAddress, writeAddress } from "./address.js";
import { Ring } from "./ring.js";
import { Joystick } from "./joystick.js";
import { draw, download } from "./picture.js";

const find = (id) => document.getElementById(id);
const SETTLED_MS = 300;
const percent = (share) => `${Math.round(share * 100)}%`;

// All that determines the image; the address has the same, so that an image can be shared.
let state;
const stale = { picture: true, thumbnails: new Set() };
let page, session, seeds, joystick, ring, settling, drawing, took;

async function start() {
  find("unserved").remove();
  ort.env.wasm.numThreads = 1; // more threads need headers that a plain static server doesn't send
  ort.env.wasm.wasmPaths = { wasm: new URL("ort-wasm-simd-threaded.wasm", import.meta.url).href };
  const [description, latents, generator] = await Promise.all(["page.json", "z.bin", "generator.onnx"].map(fetched));
  page = JSON.parse(new TextDecoder().decode(description));
  seeds = new Float32Array(latents);
  session = await ort.InferenceSession.create(generator, { executionProviders: ["wasm"] });
  joystick = new Joystick(find("pad"), find("knob"), (x, y) => change({ x, y }));
  ring = new Ring(find("ring"), page.classes, (place) => change({ place }));
  makeControls();
  const go = () => {
    const read = readAddress(page);
    change({ ...read, seed: nearestSeed(read.seed) });
  };
  go();
  addEventListener("hashchange", go);
}

async function fetched(name) {
  const response = await fetch(name);
  if (!response.ok) throw new Error(`${name}: ${response.status} ${response.statusText}`);
  return response.arrayBuffer();
}

// The generator's inputs

function latent() {
  const { vectors } = page.directions.find(({ name }) => name === state.directions);
  const [across, up] = [vectors[state.across - 1], vectors[state.up - 1]];
  const from = state.seed * page.latent;
  const bound = page.bound ?? Infinity; // of each coordinate: the generator was not trained on z beyond it
  return Float32Array.from({ length: page.latent }, (_, i) => {
    const moved = seeds[from + i] + page.reach * (state.x * across[i] + state.y * up[i]);
    return Math.min(Math.max(moved, -bound), bound);
  });
}

// The nearest existing seed to that of a field or an address; the page shows a message if it is another.
function nearestSeed(requested) {
  const number = Number(requested);
  const seed = Math.min(Math.max(Math.round(number) || 0, 0), page.seeds - 1);
  find("no-seed").textContent = seed === number ? "" : `There is no seed ${String(requested).slice(0, 20)}; seeds are 0 to ${page.seeds - 1}. Using ${seed}.`;
  return seed;
}

// The ring's position as class weights: 3.25 is three quarters of class 3 and a quarter of the next one.
function shares(place) {
  const weights = new Float32Array(page.classes.length);
  const first = Math.floor(place);
  const second = Math.round((place - first) * 100) / 100;
  weights[first % weights.length] += 1 - second;
  weights[(first + 1) % weights.length] += second;
  return weights;
}

function mixture(weights) {
  const parts = [...weights.entries()].filter(([, share]) => share > 0).sort((one, other) => other[1] - one[1]);
  return parts.length === 1 ? page.classes[parts[0][0]] : parts.map(([i, share]) => `${page.classes[i]} ${percent(share)}`).join(", ");
}

async function generated(weights) {
  const began = performance.now();
  const { images } = await session.run({
    z: new ort.Tensor("float32", latent(), [1, page.latent]),
    labels: new ort.Tensor("float32", weights, [1, weights.length]),
  });
  took = performance.now() - began;
  return images.data;
}

// State changes and drawing

function change(what) {
  state = { ...state, ...what };
  stale.picture = true;
  if (Object.keys(what).some((key) => key !== "place")) page.classes.forEach((_, i) => stale.thumbnails.add(i));
  show();
  drawing ??= drawAll().finally(() => { drawing = undefined; });
}

// The image first, then one thumbnail at a time; yields to the browser after each, so that dragging stays smooth.
async function drawAll() {
  try {
    while (stale.picture || stale.thumbnails.size) {
      if (stale.picture) {
        stale.picture = false;
        draw(find("picture"), await generated(shares(state.place)), page.size);
      }
      const [next] = stale.thumbnails;
      if (next !== undefined) {
        stale.thumbnails.delete(next);
        draw(find("thumbnails").children[next].firstChild, await generated(shares(next)), page.size);
      }
      await new Promise((resolve) => setTimeout(resolve));
    }
  } catch (error) {
    complain(error);
  }
}

function show() {
  const weights = shares(state.place);
  const words = mixture(weights);
  find("mix").textContent = words;
  find("place").textContent = `z of seed ${state.seed}` + (state.x || state.y ? `, moved by ${offset(state.x)}, ${offset(state.y)}` : "");
  find("picture").setAttribute("aria-label", `${words}, seed ${state.seed}`);
  for (const id of ["directions", "across", "up", "seed"]) find(id).value = state[id];
  joystick.show(state.x, state.y, `${offset(state.x)} across, ${offset(state.y)} up`);
  ring.show(state.place, words);
  [...find("thumbnails").children].forEach((each, i) => each.setAttribute("aria-pressed", String(weights[i] === 1)));
  find("picture").setAttribute("aria-busy", "true");
  clearTimeout(settling);
  settling = setTimeout(settle, SETTLED_MS);
}

// After a drag, not at each step: browsers limit how often an address may change, and a screen reader would read every step.
function settle() {
  if (drawing) {
    settling = setTimeout(settle, SETTLED_MS);
    return;
  }
  writeAddress(state);
  find("took").textContent = `drawn in ${Math.max(took, 0.1).toFixed(1)} ms`; // of the last image; all take about as long
  find("spoken").textContent = find("picture").getAttribute("aria-label");
  find("picture").setAttribute("aria-busy", "false");
}

const offset = (share) => (share * page.reach).toFixed(1);

// Buttons and fields

function makeControls() {
  for (const { name, title } of page.directions) find("directions").append(new Option(title, name));
  page.directions[0].vectors.forEach((_, i) => ["across", "up"].forEach((id) => find(id).append(new Option(i + 1, i + 1))));
  find("directions").onchange = ({ target }) => change({ directions: target.value, x: 0, y: 0 });
  for (const id of ["across", "up"]) {
    document.querySelector(`.axis-name.${id}`).textContent = id;
    find(id).onchange = ({ target }) => change({ [id]: Number(target.value), x: 0, y: 0 });
  }
  find("seed").max = page.seeds - 1;
  find("seeds").textContent = `0–${page.seeds - 1}`;
  find("seed").onchange = ({ target }) => change({ seed: nearestSeed(target.value), x: 0, y: 0 });
  find("random").onclick = () => change({ seed: nearestSeed(Math.floor(Math.random() * page.seeds)), x: 0, y: 0 });
  find("reset").onclick = () => change({ x: 0, y: 0, place: Math.round(state.place) % page.classes.length });
  find("download").onclick = () => download(find("picture"), `${mixture(shares(state.place))} seed ${state.seed}`);
  page.classes.forEach((name, i) => find("thumbnails").append(thumbnail(name, () => change({ place: i }))));
}

function thumbnail(name, onclick) {
  const button = Object.assign(document.createElement("button"), { type: "button", title: name, onclick });
  const caption = Object.assign(document.createElement("span"), { textContent: name });
  button.append(document.createElement("canvas"), caption);
  return button;
}

function complain(error) {
  if (!session) find("mix").textContent = "";
  find("problem").textContent = `The page can't draw: ${error.message}`;
  find("problem").hidden = false;
}

start().catch(complain);
