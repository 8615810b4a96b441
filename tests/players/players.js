// Plays the track in every way that a listener's browser may, and gives the sound back as samples.
import Hls from '/hls.mjs';

const RATE_HZ = 48000;
let context = null;

document.querySelector('button').addEventListener('click', async () => {
  context = new AudioContext({ sampleRate: RATE_HZ });
  await context.audioWorklet.addModule('/recorder.js');
  document.body.dataset.ready = 'yes';
});

/** Load *url* into *audio* by one of the players; resolves to what undoes it. */
const OPEN = {
  // The file itself, whole, by ranges: the browser's own demuxer. The same for its own HLS.
  file: async (audio, url) => { audio.src = url; return () => audio.removeAttribute('src'); },
  native: async (audio, url) => { audio.src = url; return () => audio.removeAttribute('src'); },
  hls: async (audio, url) => {
    const player = new Hls({ enableWorker: false });
    player.loadSource(url);
    player.attachMedia(audio);
    return () => player.destroy();
  },
  shaka: async (audio, url, startS) => {
    shaka.polyfill.installAll();
    const player = new shaka.Player();
    await player.attach(audio);
    await player.load(url, startS);
    return () => player.destroy();
  },
  dashjs: async (audio, url, startS) => {
    const player = dashjs.MediaPlayer().create();
    // Not playing by itself: `play` says when.
    player.initialize(audio, url, false, startS);
    return () => player.destroy();
  },
};

/**
 * Play *url* for *lastsS* seconds. *seekS* is where to go once the length is known (null: where the
 * player begins by itself), *startS* where the player is told to begin.
 *
 * Resolves to {samples (base64 of float32), clock: [[graph seconds, media seconds], ...], began
 * (graph seconds of sample 0), duration}.
 */
async function play({ by, url, lastsS, seekS = null, startS = null }) {
  const audio = new Audio();
  audio.crossOrigin = 'anonymous';
  const node = new AudioWorkletNode(context, 'recorder', { numberOfOutputs: 1 });
  const source = context.createMediaElementSource(audio);
  source.connect(node);
  // The graph runs only what is connected to its end.
  node.connect(context.destination);
  const close = await OPEN[by](audio, url, startS);
  await once(audio, 'loadedmetadata', () => audio.readyState >= 1);
  if (seekS !== null) {
    audio.currentTime = seekS;
    await once(audio, 'seeked', () => !audio.seeking && audio.readyState >= 3);
  }
  const blocks = [];
  node.port.onmessage = ({ data }) => blocks.push(data);
  await audio.play();
  const clock = [];
  const begun = audio.currentTime;
  await new Promise((resolve, reject) => {
    audio.addEventListener('error', () => reject(new Error(`${by} ${url}: ${audio.error?.message}`)));
    const timer = setInterval(() => {
      clock.push([context.currentTime, audio.currentTime]);
      if (audio.currentTime > begun + lastsS) { clearInterval(timer); resolve(); }
    }, 10);
  });
  const duration = audio.duration;
  audio.pause();
  source.disconnect();
  node.disconnect();
  await close();
  // Each block in its place: while a player has nothing to give, none comes.
  const [first, last] = [blocks[0], blocks.at(-1)];
  const samples = new Float32Array(last.frame + last.samples.length - first.frame);
  for (const block of blocks) samples.set(block.samples, block.frame - first.frame);
  return { samples: base64(samples), clock, began: first.frame / RATE_HZ, duration, begun };
}

/** Several at once: each has its own element and its own recorder. */
function playAll(orders) { return Promise.all(orders.map(play)); }

/**
 * Decode the init segment and the bytes from *from* to *to* (to the end where null) with the
 * browser's decoder; resolves to {samples (base64 of float32), length}, cut to [first, first+size).
 */
async function decode({ url, init, from, to, first, size }) {
  const parts = await Promise.all([range(url, 0, init - 1), range(url, from, to)]);
  const bytes = new Blob(parts);
  const offline = new OfflineAudioContext(1, 1, RATE_HZ);
  const sound = await offline.decodeAudioData(await bytes.arrayBuffer());
  const channel = sound.getChannelData(0);
  return { samples: base64(channel.slice(first, first + size)), length: channel.length };
}

async function range(url, from, to) {
  const answer = await fetch(url, { headers: { Range: `bytes=${from}-${to ?? ''}` } });
  if (answer.status !== 206) throw new Error(`${url}: ${answer.status}`);
  return answer.blob();
}

function once(target, name, isSo) {
  return new Promise((resolve, reject) => {
    if (isSo()) { resolve(); return; }
    target.addEventListener(name, () => resolve(), { once: true });
    target.addEventListener('error', () => reject(new Error(target.error?.message)), { once: true });
  });
}

function base64(floats) {
  const bytes = new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(text);
}

window.players = { playAll, decode };
