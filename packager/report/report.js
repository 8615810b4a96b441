// Listening at any point: the waveform, the slider and the times in the tables move the player.
const players = [...document.querySelectorAll("audio")];
let chosen = players[0];
for (const player of players) {
  player.addEventListener("play", () => {
    chosen = player;
    for (const other of players) if (other !== player) other.pause();
  });
}
function listen(at) {
  if (!chosen) return;
  chosen.currentTime = Math.max(at, 0);
  chosen.play();
}
for (const button of document.querySelectorAll("button[data-at]")) {
  button.addEventListener("click", () => listen(Number(button.dataset.at)));
}
for (const picture of document.querySelectorAll("svg[data-seek]")) {
  picture.addEventListener("click", (event) => {
    const box = picture.getBoundingClientRect();
    listen(((event.clientX - box.left) / box.width) * Number(picture.dataset.seek));
  });
}
const from = document.getElementById("from");
if (from) {
  const said = document.getElementById("from-said");
  from.addEventListener("input", () => {
    const at = Number(from.value);
    said.textContent = new Date(at * 1000).toISOString().slice(11, 19);
    from.setAttribute("aria-valuetext", said.textContent);
  });
  document.getElementById("from-play").addEventListener("click", () => listen(Number(from.value)));
  document.getElementById("seeking").hidden = false;
}
